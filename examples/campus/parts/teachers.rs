//! What a teacher's own pages show of that teacher's work.

use larder::cached;
use serde::{Deserialize, Serialize};

use super::super::db::{Db, Loaded, Query};
use super::super::rows::Table;
use super::super::schema::TODAY;

#[derive(Serialize, Deserialize)]
pub struct Teacher {
    pub name: String,
    pub email: String,
}

#[cached(key = "teacher:{id}:profile", ttl = "30m", tags = ["teacher:{id}"], skip = [db])]
pub fn teacher(db: &Db, id: u32) -> Loaded<Teacher> {
    db.load(|query| {
        query.row(
            Table::Teacher,
            "SELECT id, version, name, email FROM teachers WHERE id = ?1",
            [id],
            |row| Ok(Teacher { name: row.get(2)?, email: row.get(3)? }),
        )
    })
}

/// A course never changes its teacher or its category, so this needs nothing else of the course.
#[derive(Serialize, Deserialize)]
pub struct Taught {
    pub course: u32,
    pub category: u32,
}

#[derive(Serialize, Deserialize)]
pub struct Workload {
    pub courses: Vec<Taught>,
    /// Submissions that wait for a grade, by course.
    pub waiting: Vec<(u32, u32)>,
    pub oldest: Vec<Waiting>,
    /// Submissions by week, the latest first.
    pub weeks: Vec<u32>,
    pub days_to_grade: Option<f64>,
}

#[derive(Serialize, Deserialize)]
pub struct Waiting {
    pub student: String,
    pub course: u32,
    pub submitted_on: String,
}

#[cached(key = "teacher:{id}:dashboard", ttl = "5m", tags = ["teacher:{id}"], skip = [db])]
pub fn workload(db: &Db, id: u32) -> Loaded<Workload> {
    db.load(|query| {
        let courses = courses_taught(query, id)?;
        let waiting = query.figures(
            "SELECT s.course_id, count(*) FROM submissions s JOIN courses c ON c.id = s.course_id
             WHERE c.teacher_id = ?1 AND s.score IS NULL GROUP BY s.course_id",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let oldest = query.rows(
            Table::Submission,
            "SELECT s.id, s.version, t.name, s.course_id, s.submitted_on FROM submissions s
             JOIN courses c ON c.id = s.course_id JOIN students t ON t.id = s.student_id
             WHERE c.teacher_id = ?1 AND s.score IS NULL ORDER BY s.submitted_on LIMIT 10",
            [id],
            |row| Ok(Waiting { student: row.get(2)?, course: row.get(3)?, submitted_on: row.get(4)? }),
        )?;
        let weeks = query.figures(
            "SELECT count(*) FROM submissions s JOIN courses c ON c.id = s.course_id WHERE c.teacher_id = ?1
             GROUP BY CAST(julianday(?2) - julianday(s.submitted_on) AS INTEGER) / 7 LIMIT 12",
            (id, TODAY),
            |row| row.get(0),
        )?;
        let days_to_grade = query.figure(
            "SELECT avg(julianday(s.graded_on) - julianday(s.submitted_on)) FROM submissions s
             JOIN courses c ON c.id = s.course_id WHERE c.teacher_id = ?1",
            [id],
            |row| row.get(0),
        )?;
        Ok(Workload { courses, waiting, oldest, weeks, days_to_grade })
    })
}

#[derive(Serialize, Deserialize)]
pub struct Classes {
    pub courses: Vec<Taught>,
    /// Course, year, students of that year who are enrolled.
    pub by_year: Vec<(u32, u32, u32)>,
    /// Course, average grade, share of the grades that pass.
    pub grades: Vec<(u32, f64, f64)>,
    /// Course and students whose average there does not pass.
    pub at_risk: Vec<(u32, u32)>,
}

#[cached(key = "teacher:{id}:courses", ttl = "30m", tags = ["teacher:{id}"], skip = [db])]
pub fn classes(db: &Db, id: u32) -> Loaded<Classes> {
    db.load(|query| {
        let courses = courses_taught(query, id)?;
        let by_year = query.figures(
            "SELECT e.course_id, t.year, count(*) FROM enrolments e JOIN courses c ON c.id = e.course_id
             JOIN students t ON t.id = e.student_id WHERE c.teacher_id = ?1 GROUP BY e.course_id, t.year",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let grades = query.figures(
            "SELECT s.course_id, avg(s.score), avg(s.score >= 50) FROM submissions s
             JOIN courses c ON c.id = s.course_id WHERE c.teacher_id = ?1 AND s.score IS NOT NULL
             GROUP BY s.course_id",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        let at_risk = query.figures(
            "SELECT course_id, count(*) FROM
                 (SELECT s.course_id FROM submissions s JOIN courses c ON c.id = s.course_id
                  WHERE c.teacher_id = ?1 GROUP BY s.course_id, s.student_id HAVING avg(s.score) < 50)
             GROUP BY course_id",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        Ok(Classes { courses, by_year, grades, at_risk })
    })
}

/// Notes the teacher's own row too: its version stands for what is counted over the teacher's courses.
fn courses_taught(query: &Query<'_>, teacher: u32) -> rusqlite::Result<Vec<Taught>> {
    query.row(Table::Teacher, "SELECT id, version FROM teachers WHERE id = ?1", [teacher], |_| Ok(()))?;
    query.figures("SELECT id, category_id FROM courses WHERE teacher_id = ?1 ORDER BY id", [teacher], |row| {
        Ok(Taught { course: row.get(0)?, category: row.get(1)? })
    })
}
