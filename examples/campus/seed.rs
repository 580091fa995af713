//! Makes the school, once: a seeded database file, kept for the next run and copied for each replay.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::{Connection, Transaction, params};

use super::Result;
use super::random::{Random, Zipf};
use super::schema::{INDEXES, School, TABLES, TODAY};
use super::terminal::Progress;

/// Raise it when the rows below change, so that files of older versions are not used.
const REVISION: u32 = 2;

const FIRST_NAMES: [&str; 16] = [
    "Ada",
    "Alan",
    "Barbara",
    "Claude",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "John",
    "Katherine",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Radia",
    "Tony",
];
const LAST_NAMES: [&str; 16] = [
    "Allen", "Backus", "Dijkstra", "Hamilton", "Hoare", "Hopper", "Johnson", "Knuth", "Lamarr", "Lamport",
    "Liskov", "Lovelace", "Perlman", "Shannon", "Turing", "Wirth",
];
const CATEGORIES: [&str; 16] = [
    "Algebra",
    "Analysis",
    "Art",
    "Biology",
    "Chemistry",
    "Computing",
    "Economics",
    "Geography",
    "Geometry",
    "History",
    "Languages",
    "Law",
    "Literature",
    "Music",
    "Philosophy",
    "Physics",
];
const METHODS: [&str; 4] = ["card", "transfer", "cash", "grant"];

/// The file of this school, made now if it is not there yet.
pub fn school_file(folder: &Path, school: &School, progress: &Progress) -> Result<PathBuf> {
    let mut fingerprint = DefaultHasher::new();
    (REVISION, TABLES, INDEXES, TODAY, school).hash(&mut fingerprint);
    let file = folder.join(format!("school-{:016x}.sqlite", fingerprint.finish()));
    if !file.exists() {
        fs::create_dir_all(folder)?;
        let unfinished = sibling(&file);
        fill(&unfinished, school, progress)?;
        fs::rename(&unfinished, &file)?;
    }
    Ok(file)
}

/// A name beside the file's that nobody else has.
pub fn sibling(file: &Path) -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    file.with_extension(format!("{}-{number}.sqlite", std::process::id()))
}

fn fill(file: &Path, school: &School, progress: &Progress) -> rusqlite::Result<()> {
    let mut connection = Connection::open(file)?;
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    progress.begin("making the school", u64::from(school.rows()));
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    let seeder = Seeder { school, transaction: &transaction, progress };
    seeder.catalogue(&mut Random::seeded(1))?;
    seeder.students(&mut Random::seeded(2))?;
    let enrolled = seeder.enrolments(&mut Random::seeded(3))?;
    seeder.submissions(&enrolled, &mut Random::seeded(4))?;
    seeder.payments(&mut Random::seeded(5))?;
    transaction.execute_batch(INDEXES)?;
    transaction.commit()?;
    progress.end(&format!("{} rows", school.rows()));
    Ok(())
}

struct Seeder<'a> {
    school: &'a School,
    transaction: &'a Transaction<'a>,
    progress: &'a Progress,
}

impl Seeder<'_> {
    fn catalogue(&self, random: &mut Random) -> rusqlite::Result<()> {
        let sql = self.transaction;
        let mut insert = sql.prepare("INSERT INTO categories (id, name) VALUES (?1, ?2)")?;
        for id in 1..=self.school.categories {
            insert.execute(params![id, self.category(id)])?;
            self.progress.add(1);
        }
        let mut insert =
            sql.prepare("INSERT INTO teachers (id, category_id, name, email) VALUES (?1, ?2, ?3, ?4)")?;
        for id in 1..=self.school.teachers {
            let category = self.school.category_of_teacher(id);
            insert.execute(params![id, category, person(random), format!("teacher{id}@campus.example")])?;
            self.progress.add(1);
        }
        let mut course = sql.prepare(
            "INSERT INTO courses (id, category_id, teacher_id, title, credits) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let mut assignment = sql.prepare(
            "INSERT INTO assignments (course_id, title, due_on) VALUES (?1, ?2, date(?3, ?4 || ' days'))",
        )?;
        for id in 1..=self.school.courses {
            let category = self.school.category_of_course(id);
            let title = format!("{} {}", self.category(category), 101 + id / self.school.categories);
            course.execute(params![
                id,
                category,
                self.school.teacher_of_course(id),
                title,
                2 + random.below(5)
            ])?;
            for number in 0..School::ASSIGNMENTS_PER_COURSE {
                let days_from_now = number as i32 * 14 - 70 + random.below(7) as i32;
                assignment.execute(params![
                    id,
                    format!("Assignment {}", number + 1),
                    TODAY,
                    days_from_now
                ])?;
            }
            self.progress.add(1 + u64::from(School::ASSIGNMENTS_PER_COURSE));
        }
        sql.execute("INSERT INTO ledger (id) VALUES (1)", [])?;
        Ok(())
    }

    fn students(&self, random: &mut Random) -> rusqlite::Result<()> {
        let mut insert = self
            .transaction
            .prepare("INSERT INTO students (id, name, email, year, major_id) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for id in 1..=self.school.students {
            let email = format!("student{id}@campus.example");
            let (year, major) = (1 + random.below(4), 1 + random.below(self.school.categories));
            insert.execute(params![id, person(random), email, year, major])?;
            self.progress.add(1);
        }
        Ok(())
    }

    /// Some courses are more popular than others. Returns who is enrolled where.
    fn enrolments(&self, random: &mut Random) -> rusqlite::Result<Vec<(u32, u32)>> {
        let popularity = Zipf::new(self.school.courses as usize, 0.4);
        let mut insert = self.transaction.prepare(
            "INSERT INTO enrolments (student_id, course_id, enrolled_on) VALUES (?1, ?2, date(?3, -?4 || ' days'))",
        )?;
        let mut enrolled = Vec::with_capacity(self.school.enrolments as usize);
        let mut taken = HashSet::new();
        while enrolled.len() < self.school.enrolments as usize {
            let student = enrolled.len() as u32 % self.school.students + 1;
            let course = popularity.draw(random) as u32 + 1;
            if taken.insert((student, course)) {
                insert.execute(params![student, course, TODAY, 60 + random.below(60)])?;
                enrolled.push((student, course));
                self.progress.add(1);
            }
        }
        Ok(enrolled)
    }

    /// Four in five are graded.
    fn submissions(&self, enrolled: &[(u32, u32)], random: &mut Random) -> rusqlite::Result<()> {
        let mut insert = self.transaction.prepare(
            "INSERT INTO submissions (assignment_id, student_id, course_id, submitted_on, score, graded_on)
             VALUES (?1, ?2, ?3, date(?4, -?5 || ' days'), ?6, date(?4, -?7 || ' days'))",
        )?;
        for _ in 0..self.school.submissions {
            let &(student, course) = random.pick(enrolled);
            let number = random.below(School::ASSIGNMENTS_PER_COURSE);
            let assignment = (course - 1) * School::ASSIGNMENTS_PER_COURSE + number + 1;
            let age = 1 + random.below(80);
            let score = random.chance(0.8).then(|| 30 + random.below(36) + random.below(36));
            let graded = score.map(|_| age - random.below(age.min(10)));
            insert.execute(params![assignment, student, course, TODAY, age, score, graded])?;
            self.progress.add(1);
        }
        Ok(())
    }

    /// Instalments of the past two years; one in twenty is still to be paid.
    fn payments(&self, random: &mut Random) -> rusqlite::Result<()> {
        let mut insert = self.transaction.prepare(
            "INSERT INTO payments (student_id, cents, method, due_on, paid_on)
             VALUES (?1, ?2, ?3, date(?4, -?5 || ' days'), date(?4, -?6 || ' days'))",
        )?;
        for _ in 0..self.school.payments {
            let student = 1 + random.below(self.school.students);
            let age = random.below(730);
            let paid = random.chance(0.95).then_some(age);
            let cents = 5_000 + 100 * random.below(400);
            insert.execute(params![student, cents, random.pick(&METHODS), TODAY, age, paid])?;
            self.progress.add(1);
        }
        Ok(())
    }

    fn category(&self, id: u32) -> &'static str {
        CATEGORIES[(id as usize - 1) % CATEGORIES.len()]
    }
}

fn person(random: &mut Random) -> String {
    format!("{} {}", random.pick(&FIRST_NAMES), random.pick(&LAST_NAMES))
}
