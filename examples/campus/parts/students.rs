//! What a student's own pages show of that student.

use larder::cached;
use serde::{Deserialize, Serialize};

use super::super::db::{Db, Loaded, Query};
use super::super::rows::Table;

#[derive(Serialize, Deserialize)]
pub struct Student {
    pub name: String,
    pub email: String,
    pub year: u32,
    /// A category of courses.
    pub major: u32,
}

#[cached(key = "student:{id}:profile", ttl = "30m", tags = ["student:{id}"], skip = [db])]
pub fn student(db: &Db, id: u32) -> Loaded<Student> {
    db.load(|query| {
        query.row(
            Table::Student,
            "SELECT id, version, name, email, year, major_id FROM students WHERE id = ?1",
            [id],
            |row| {
                Ok(Student { name: row.get(2)?, email: row.get(3)?, year: row.get(4)?, major: row.get(5)? })
            },
        )
    })
}

/// Where a student is enrolled. A course never changes its category, so this needs nothing of the course.
#[derive(Serialize, Deserialize)]
pub struct Enrolment {
    pub course: u32,
    pub category: u32,
    pub enrolled_on: String,
}

#[derive(Serialize, Deserialize)]
pub struct Overview {
    pub enrolments: Vec<Enrolment>,
    pub owed_cents: i64,
    pub recent_payments: Vec<(String, i64)>,
    pub recent_grades: Vec<Grade>,
    pub average: Option<f64>,
    pub waiting_for_grade: u32,
}

#[derive(Serialize, Deserialize)]
pub struct Grade {
    pub course: u32,
    pub score: u32,
    pub graded_on: String,
}

#[cached(key = "student:{id}:dashboard", ttl = "5m", tags = ["student:{id}"], skip = [db])]
pub fn overview(db: &Db, id: u32) -> Loaded<Overview> {
    db.load(|query| {
        let enrolments = enrolments(query, id)?;
        let owed_cents = query.figure(
            "SELECT coalesce(sum(cents), 0) FROM payments WHERE student_id = ?1 AND paid_on IS NULL",
            [id],
            |row| row.get(0),
        )?;
        let recent_payments = query.rows(
            Table::Payment,
            "SELECT id, version, paid_on, cents FROM payments WHERE student_id = ?1 AND paid_on IS NOT NULL
             ORDER BY paid_on DESC LIMIT 5",
            [id],
            |row| Ok((row.get(2)?, row.get(3)?)),
        )?;
        let recent_grades = query.rows(
            Table::Submission,
            "SELECT id, version, course_id, score, graded_on FROM submissions
             WHERE student_id = ?1 AND score IS NOT NULL ORDER BY graded_on DESC LIMIT 5",
            [id],
            |row| Ok(Grade { course: row.get(2)?, score: row.get(3)?, graded_on: row.get(4)? }),
        )?;
        let (average, waiting_for_grade) = query.figure(
            "SELECT avg(score), count(*) - count(score) FROM submissions WHERE student_id = ?1",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(Overview { enrolments, owed_cents, recent_payments, recent_grades, average, waiting_for_grade })
    })
}

#[derive(Serialize, Deserialize)]
pub struct Progress {
    pub enrolments: Vec<Enrolment>,
    pub courses: Vec<CourseProgress>,
}

#[derive(Serialize, Deserialize)]
pub struct CourseProgress {
    pub course: u32,
    pub submitted: u32,
    pub average: Option<f64>,
    pub last_submitted_on: String,
}

#[cached(key = "student:{id}:courses", ttl = "30m", tags = ["student:{id}"], skip = [db])]
pub fn progress(db: &Db, id: u32) -> Loaded<Progress> {
    db.load(|query| {
        let enrolments = enrolments(query, id)?;
        let courses = query.figures(
            "SELECT course_id, count(*), avg(score), max(submitted_on) FROM submissions
             WHERE student_id = ?1 GROUP BY course_id",
            [id],
            |row| {
                Ok(CourseProgress {
                    course: row.get(0)?,
                    submitted: row.get(1)?,
                    average: row.get(2)?,
                    last_submitted_on: row.get(3)?,
                })
            },
        )?;
        Ok(Progress { enrolments, courses })
    })
}

/// Notes the student's own row too: its version stands for everything counted or summed over the student.
fn enrolments(query: &Query<'_>, student: u32) -> rusqlite::Result<Vec<Enrolment>> {
    query.row(Table::Student, "SELECT id, version FROM students WHERE id = ?1", [student], |_| Ok(()))?;
    query.rows(
        Table::Enrolment,
        "SELECT e.id, e.version, e.course_id, c.category_id, e.enrolled_on
         FROM enrolments e JOIN courses c ON c.id = e.course_id WHERE e.student_id = ?1 ORDER BY e.course_id",
        [student],
        |row| Ok(Enrolment { course: row.get(2)?, category: row.get(3)?, enrolled_on: row.get(4)? }),
    )
}
