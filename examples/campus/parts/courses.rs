//! What many pages show of a course, and of a category of courses.

use larder::cached;
use serde::{Deserialize, Serialize};

use super::super::db::{Db, Loaded};
use super::super::rows::Table;
use super::super::schema::TODAY;

#[derive(Serialize, Deserialize)]
pub struct Course {
    pub title: String,
    pub credits: u32,
    pub teacher: String,
    pub enrolled: u32,
    pub submitted: u32,
    pub average: Option<f64>,
    /// How many submissions got 0 to 9, 10 to 19, and so on.
    pub scores: Vec<(u32, u32)>,
    pub upcoming: Vec<Assignment>,
}

#[derive(Serialize, Deserialize)]
pub struct Assignment {
    pub title: String,
    pub due_on: String,
}

#[cached(key = "category:{category}:course:{id}", ttl = "30m", tags = ["course:{id}"], skip = [db])]
pub fn course(db: &Db, category: u32, id: u32) -> Loaded<Course> {
    db.load(|query| {
        let (title, credits, teacher) = query.row(
            Table::Course,
            "SELECT c.id, c.version, c.title, c.credits, t.name
             FROM courses c JOIN teachers t ON t.id = c.teacher_id WHERE c.id = ?1 AND c.category_id = ?2",
            [id, category],
            |row| Ok((row.get(2)?, row.get(3)?, row.get(4)?)),
        )?;
        let enrolled =
            query.figure("SELECT count(*) FROM enrolments WHERE course_id = ?1", [id], |row| row.get(0))?;
        let (submitted, average) = query.figure(
            "SELECT count(*), avg(score) FROM submissions WHERE course_id = ?1",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let scores = query.figures(
            "SELECT score / 10, count(*) FROM submissions WHERE course_id = ?1 AND score IS NOT NULL
             GROUP BY 1 ORDER BY 1",
            [id],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let upcoming = query.rows(
            Table::Assignment,
            "SELECT id, version, title, due_on FROM assignments WHERE course_id = ?1 AND due_on >= ?2
             ORDER BY due_on LIMIT 5",
            (id, TODAY),
            |row| Ok(Assignment { title: row.get(2)?, due_on: row.get(3)? }),
        )?;
        Ok(Course { title, credits, teacher, enrolled, submitted, average, scores, upcoming })
    })
}

/// A category of courses, the busiest first.
#[derive(Serialize, Deserialize)]
pub struct Catalogue {
    pub name: String,
    pub courses: Vec<CourseLine>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct CourseLine {
    pub title: String,
    pub enrolled: u32,
    pub average: Option<f64>,
}

#[cached(key = "category:{category}:catalogue", ttl = "30m", skip = [db])]
pub fn catalogue(db: &Db, category: u32) -> Loaded<Catalogue> {
    db.load(|query| {
        let name = query.row(
            Table::Category,
            "SELECT id, version, name FROM categories WHERE id = ?1",
            [category],
            |row| row.get(2),
        )?;
        let courses = query.rows(
            Table::Course,
            "SELECT id, version, title, (SELECT count(*) FROM enrolments e WHERE e.course_id = c.id) AS enrolled,
                    (SELECT avg(score) FROM submissions s WHERE s.course_id = c.id)
             FROM courses c WHERE category_id = ?1 ORDER BY enrolled DESC",
            [category],
            |row| Ok(CourseLine { title: row.get(2)?, enrolled: row.get(3)?, average: row.get(4)? }),
        )?;
        Ok(Catalogue { name, courses })
    })
}

/// Who does best in a category of courses: made of its grades, for which the category's own row stands.
#[derive(Serialize, Deserialize)]
pub struct Standing {
    pub leaders: Vec<(String, f64)>,
    pub submitted_this_week: u32,
}

#[cached(key = "category:{category}:standing", ttl = "30m", skip = [db])]
pub fn standing(db: &Db, category: u32) -> Loaded<Standing> {
    db.load(|query| {
        query.row(Table::Category, "SELECT id, version FROM categories WHERE id = ?1", [category], |_| {
            Ok(())
        })?;
        let leaders = query.figures(
            "SELECT t.name, best.average FROM
                 (SELECT s.student_id, avg(s.score) AS average FROM submissions s
                  JOIN courses c ON c.id = s.course_id WHERE c.category_id = ?1
                  GROUP BY s.student_id HAVING count(s.score) >= 2 ORDER BY average DESC LIMIT 10) best
             JOIN students t ON t.id = best.student_id ORDER BY best.average DESC",
            [category],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let submitted_this_week = query.figure(
            "SELECT count(*) FROM submissions s JOIN courses c ON c.id = s.course_id
             WHERE c.category_id = ?1 AND s.submitted_on > date(?2, '-7 days')",
            (category, TODAY),
            |row| row.get(0),
        )?;
        Ok(Standing { leaders, submitted_this_week })
    })
}
