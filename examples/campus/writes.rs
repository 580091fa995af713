//! What users change. Each write is one transaction, made of functions that say which parts of pages they make old;
//! when it has committed, those are forgotten, and only then has the write returned; where all processes have handled that,
//! it is acknowledged.

use larder::{Commit, ErrorKind, invalidates};
use rusqlite::{OptionalExtension, Transaction, params};

use super::Result;
use super::db::Db;
use super::journal::Outcome;
use super::rows::{Row, Table};
use super::schema::TODAY;
use super::truth::Truth;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Enrol,
    Pay,
    Grade,
    EditCourse,
    EditCategory,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Enrol, Self::Pay, Self::Grade, Self::EditCourse, Self::EditCategory];

    pub fn name(self) -> &'static str {
        match self {
            Self::Enrol => "enrol",
            Self::Pay => "pay",
            Self::Grade => "grade",
            Self::EditCourse => "edit-course",
            Self::EditCategory => "edit-category",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Write {
    Enrol { student: u32, course: u32 },
    Pay { student: u32, cents: u32 },
    Grade { student: u32, score: u32 },
    EditCourse { course: u32, credits: u32 },
    EditCategory { category: u32 },
}

impl Write {
    pub fn kind(self) -> Kind {
        match self {
            Self::Enrol { .. } => Kind::Enrol,
            Self::Pay { .. } => Kind::Pay,
            Self::Grade { .. } => Kind::Grade,
            Self::EditCourse { .. } => Kind::EditCourse,
            Self::EditCategory { .. } => Kind::EditCategory,
        }
    }

    /// `acked` waits until every process has handled it. `omitted` names a kind of write that fails to forget: so the stale
    /// check can be seen to work.
    pub fn apply(self, db: &Db, truth: &Truth, acked: bool, omitted: Option<Kind>) -> Result<Outcome> {
        let made_old = larder::after_commit();
        let rows = db.write(|transaction| {
            let mut change = Change { transaction, rows: Vec::new() };
            made_old.scope(|| self.change(&mut change))?;
            Ok(change.rows)
        })?;
        let forgotten = if omitted == Some(self.kind()) { Ok(()) } else { forget(&made_old, acked) };
        let outcome = match forgotten {
            Ok(()) if acked => Outcome::Acknowledged,
            Ok(()) => Outcome::Returned,
            // The store is away, or who has handled it is not known.
            Err(error) if AWAY.contains(&error.kind()) => Outcome::Failed,
            Err(error) => return Err(error.into()),
        };
        truth.note(&rows, outcome)?;
        Ok(outcome)
    }

    fn change(self, change: &mut Change<'_>) -> rusqlite::Result<()> {
        match self {
            Self::Enrol { student, course } => {
                change.enrol(student, course)?;
                change.student(student)?;
                change.course(course)?;
                change.teacher_of(course)?;
            }
            Self::Pay { student, cents } => {
                change.pay(student, cents)?;
                change.student(student)?;
                change.payments()?;
            }
            Self::Grade { student, score } => {
                if let Some(course) = change.grade(student, score)? {
                    change.student(student)?;
                    change.course(course)?;
                    change.teacher_of(course)?;
                    change.standing_of(course)?;
                }
            }
            Self::EditCourse { course, credits } => {
                change.edit_course(course, credits)?;
                change.course(course)?;
            }
            Self::EditCategory { category } => change.edit_category(category)?,
        }
        Ok(())
    }
}

/// What the shared store being away looks like.
const AWAY: [ErrorKind; 3] = [ErrorKind::Queued, ErrorKind::Unavailable, ErrorKind::Timeout];

/// Forgets what a transaction that has committed made old.
fn forget(made_old: &Commit, acked: bool) -> larder::Result<()> {
    let told = made_old.committed();
    if acked { told.acked().wait() } else { told.wait() }
}

/// A transaction, and the rows it has changed so far, at their new versions.
struct Change<'a> {
    transaction: &'a Transaction<'a>,
    rows: Vec<Row>,
}

impl Change<'_> {
    fn enrol(&mut self, student: u32, course: u32) -> rusqlite::Result<()> {
        self.execute(
            Table::Enrolment,
            "INSERT INTO enrolments (student_id, course_id, enrolled_on) VALUES (?1, ?2, ?3)
             ON CONFLICT (student_id, course_id) DO UPDATE SET enrolled_on = ?3, version = version + 1
             RETURNING id, version",
            params![student, course, TODAY],
        )
    }

    /// The oldest instalment that is due; with none due, a payment in advance.
    fn pay(&mut self, student: u32, cents: u32) -> rusqlite::Result<()> {
        let before = self.rows.len();
        self.execute(
            Table::Payment,
            "UPDATE payments SET paid_on = ?2, version = version + 1
             WHERE id = (SELECT id FROM payments WHERE student_id = ?1 AND paid_on IS NULL ORDER BY due_on LIMIT 1)
             RETURNING id, version",
            params![student, TODAY],
        )?;
        if self.rows.len() > before {
            return Ok(());
        }
        self.execute(
            Table::Payment,
            "INSERT INTO payments (student_id, cents, method, due_on, paid_on) VALUES (?1, ?2, 'card', ?3, ?3)
             RETURNING id, version",
            params![student, cents, TODAY],
        )
    }

    /// The submission that has waited longest; with none waiting, the latest is graded again. Returns its course.
    fn grade(&mut self, student: u32, score: u32) -> rusqlite::Result<Option<u32>> {
        let found = self
            .transaction
            .prepare_cached(
                "SELECT id, course_id FROM submissions WHERE student_id = ?1
                 ORDER BY score IS NOT NULL, submitted_on LIMIT 1",
            )?
            .query_row([student], |row| Ok((row.get::<_, u32>(0)?, row.get(1)?)))
            .optional()?;
        let Some((submission, course)) = found else { return Ok(None) };
        self.execute(
            Table::Submission,
            "UPDATE submissions SET score = ?2, graded_on = ?3, version = version + 1 WHERE id = ?1
             RETURNING id, version",
            params![submission, score, TODAY],
        )?;
        Ok(Some(course))
    }

    fn edit_course(&mut self, course: u32, credits: u32) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached("UPDATE courses SET credits = ?2 WHERE id = ?1")?
            .execute([course, credits])?;
        self.execute(
            Table::Assignment,
            "UPDATE assignments SET due_on = date(due_on, '+1 day'), version = version + 1 WHERE course_id = ?1
             RETURNING id, version",
            [course],
        )
    }

    #[invalidates(patterns = ["category:{category}:*"])]
    fn edit_category(&mut self, category: u32) -> rusqlite::Result<()> {
        self.execute(
            Table::Category,
            "UPDATE categories SET version = version + 1 WHERE id = ?1 RETURNING id, version",
            [category],
        )?;
        self.execute(
            Table::Course,
            "UPDATE courses SET credits = credits % 6 + 1, version = version + 1 WHERE category_id = ?1
             RETURNING id, version",
            [category],
        )
    }

    #[invalidates(tags = ["student:{id}"])]
    fn student(&mut self, id: u32) -> rusqlite::Result<()> {
        self.execute(
            Table::Student,
            "UPDATE students SET version = version + 1 WHERE id = ?1 RETURNING id, version",
            [id],
        )
    }

    #[invalidates(tags = ["analytics"])]
    fn payments(&mut self) -> rusqlite::Result<()> {
        self.execute(Table::Ledger, "UPDATE ledger SET version = version + 1 RETURNING id, version", [])
    }

    /// Returns its category, whose catalogue it stands in.
    #[invalidates(tags = ["course:{id}"], keys = ["category:{ret}:catalogue"])]
    fn course(&mut self, id: u32) -> rusqlite::Result<u32> {
        self.execute(
            Table::Course,
            "UPDATE courses SET version = version + 1 WHERE id = ?1 RETURNING id, version",
            [id],
        )?;
        self.transaction
            .prepare_cached("SELECT category_id FROM courses WHERE id = ?1")?
            .query_row([id], |row| row.get(0))
    }

    #[invalidates(tags = ["teacher:{ret}"])]
    fn teacher_of(&mut self, course: u32) -> rusqlite::Result<u32> {
        self.execute_one(
            Table::Teacher,
            "UPDATE teachers SET version = version + 1
             WHERE id = (SELECT teacher_id FROM courses WHERE id = ?1) RETURNING id, version",
            [course],
        )
    }

    #[invalidates(keys = ["category:{ret}:standing"])]
    fn standing_of(&mut self, course: u32) -> rusqlite::Result<u32> {
        self.execute_one(
            Table::Category,
            "UPDATE categories SET version = version + 1
             WHERE id = (SELECT category_id FROM courses WHERE id = ?1) RETURNING id, version",
            [course],
        )
    }

    /// Runs a statement that returns the `id` and the new `version` of each row it writes.
    fn execute(&mut self, table: Table, sql: &str, params: impl rusqlite::Params) -> rusqlite::Result<()> {
        let mut statement = self.transaction.prepare_cached(sql)?;
        let written =
            statement.query_map(params, |row| Ok(Row { table, id: row.get(0)?, version: row.get(1)? }))?;
        for row in written {
            self.rows.push(row?);
        }
        Ok(())
    }

    /// The same for a statement that writes one row. Returns its id.
    fn execute_one(
        &mut self,
        table: Table,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> rusqlite::Result<u32> {
        self.execute(table, sql, params)?;
        self.rows.last().map(|row| row.id).ok_or(rusqlite::Error::QueryReturnedNoRows)
    }
}
