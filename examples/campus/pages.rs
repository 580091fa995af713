//! The five pages: each put together from parts, as a handler of the web application would do it.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::Result;

use super::db::Db;
use super::parts::courses::{Catalogue, Course, Standing, catalogue, course, standing};
use super::parts::platform::{Analytics, Office, analytics, office};
use super::parts::students::{Enrolment, Overview, Progress, Student, overview, progress, student};
use super::parts::teachers::{Classes, Taught, Teacher, Workload, classes, teacher, workload};
use super::rows::{Row, Seen};

type Part<T> = Arc<Seen<T>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    TeacherCourses,
    AdminDashboard,
    StudentDashboard,
    TeacherDashboard,
    StudentCourses,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::TeacherCourses,
        Self::AdminDashboard,
        Self::StudentDashboard,
        Self::TeacherDashboard,
        Self::StudentCourses,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::TeacherCourses => "teacher's courses",
            Self::AdminDashboard => "admin dashboard",
            Self::StudentDashboard => "student dashboard",
            Self::TeacherDashboard => "teacher dashboard",
            Self::StudentCourses => "student's courses",
        }
    }

    /// How soon the page should be there, in milliseconds.
    pub fn target_ms(self) -> f64 {
        match self {
            Self::TeacherCourses => 15.0,
            Self::AdminDashboard => 20.0,
            Self::StudentDashboard => 25.0,
            Self::TeacherDashboard => 20.0,
            Self::StudentCourses => 18.0,
        }
    }
}

/// What a user asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    TeacherCourses { teacher: u32 },
    AdminDashboard,
    StudentDashboard { student: u32 },
    TeacherDashboard { teacher: u32 },
    StudentCourses { student: u32 },
}

impl Route {
    pub fn kind(self) -> Kind {
        match self {
            Self::TeacherCourses { .. } => Kind::TeacherCourses,
            Self::AdminDashboard => Kind::AdminDashboard,
            Self::StudentDashboard { .. } => Kind::StudentDashboard,
            Self::TeacherDashboard { .. } => Kind::TeacherDashboard,
            Self::StudentCourses { .. } => Kind::StudentCourses,
        }
    }

    pub fn open(self, db: &Arc<Db>) -> Result<Box<dyn Page>> {
        Ok(match self {
            Self::TeacherCourses { teacher } => Box::new(teacher_courses(db, teacher)?),
            Self::AdminDashboard => Box::new(admin_dashboard(db)?),
            Self::StudentDashboard { student } => Box::new(student_dashboard(db, student)?),
            Self::TeacherDashboard { teacher } => Box::new(teacher_dashboard(db, teacher)?),
            Self::StudentCourses { student } => Box::new(student_courses(db, student)?),
        })
    }
}

/// A page with all that it shows.
pub trait Page {
    /// Hands over the rows of every part of the page.
    fn rows(&self, see: &mut dyn FnMut(&[Row]));
}

pub struct TeacherCourses {
    teacher: Part<Teacher>,
    classes: Part<Classes>,
    courses: Vec<Part<Course>>,
}

fn teacher_courses(db: &Db, id: u32) -> Result<TeacherCourses> {
    let classes = classes(db, id)?;
    Ok(TeacherCourses { teacher: teacher(db, id)?, courses: courses_taught(db, &classes.courses)?, classes })
}

impl Page for TeacherCourses {
    fn rows(&self, see: &mut dyn FnMut(&[Row])) {
        see(self.teacher.rows());
        see(self.classes.rows());
        self.courses.iter().for_each(|course| see(course.rows()));
    }
}

pub struct AdminDashboard {
    analytics: Part<Analytics>,
    office: Part<Office>,
    catalogue: Vec<Part<Catalogue>>,
}

fn admin_dashboard(db: &Arc<Db>) -> Result<AdminDashboard> {
    let office = office(db)?;
    let catalogue =
        office.categories.iter().map(|&category| catalogue(db, category)).collect::<Result<_>>()?;
    Ok(AdminDashboard { analytics: analytics(Arc::clone(db))?, office, catalogue })
}

impl Page for AdminDashboard {
    fn rows(&self, see: &mut dyn FnMut(&[Row])) {
        see(self.analytics.rows());
        see(self.office.rows());
        self.catalogue.iter().for_each(|category| see(category.rows()));
    }
}

pub struct StudentDashboard {
    student: Part<Student>,
    overview: Part<Overview>,
    courses: Vec<Part<Course>>,
    major: Part<Standing>,
}

fn student_dashboard(db: &Db, id: u32) -> Result<StudentDashboard> {
    let overview = overview(db, id)?;
    let courses = courses_taken(db, &overview.enrolments)?;
    let student = student(db, id)?;
    Ok(StudentDashboard { major: standing(db, student.major)?, student, overview, courses })
}

impl Page for StudentDashboard {
    fn rows(&self, see: &mut dyn FnMut(&[Row])) {
        see(self.student.rows());
        see(self.overview.rows());
        self.courses.iter().for_each(|course| see(course.rows()));
        see(self.major.rows());
    }
}

pub struct TeacherDashboard {
    teacher: Part<Teacher>,
    workload: Part<Workload>,
    courses: Vec<Part<Course>>,
    standings: Vec<Part<Standing>>,
}

fn teacher_dashboard(db: &Db, id: u32) -> Result<TeacherDashboard> {
    let workload = workload(db, id)?;
    let courses = courses_taught(db, &workload.courses)?;
    let categories = workload.courses.iter().map(|taught| taught.category).collect::<BTreeSet<_>>();
    let standings = categories.into_iter().map(|category| standing(db, category)).collect::<Result<_>>()?;
    Ok(TeacherDashboard { teacher: teacher(db, id)?, workload, courses, standings })
}

impl Page for TeacherDashboard {
    fn rows(&self, see: &mut dyn FnMut(&[Row])) {
        see(self.teacher.rows());
        see(self.workload.rows());
        self.courses.iter().for_each(|course| see(course.rows()));
        self.standings.iter().for_each(|standing| see(standing.rows()));
    }
}

pub struct StudentCourses {
    student: Part<Student>,
    progress: Part<Progress>,
    courses: Vec<Part<Course>>,
}

fn student_courses(db: &Db, id: u32) -> Result<StudentCourses> {
    let progress = progress(db, id)?;
    let courses = courses_taken(db, &progress.enrolments)?;
    Ok(StudentCourses { student: student(db, id)?, progress, courses })
}

impl Page for StudentCourses {
    fn rows(&self, see: &mut dyn FnMut(&[Row])) {
        see(self.student.rows());
        see(self.progress.rows());
        self.courses.iter().for_each(|course| see(course.rows()));
    }
}

fn courses_taken(db: &Db, enrolments: &[Enrolment]) -> Result<Vec<Part<Course>>> {
    enrolments.iter().map(|enrolment| course(db, enrolment.category, enrolment.course)).collect()
}

fn courses_taught(db: &Db, taught: &[Taught]) -> Result<Vec<Part<Course>>> {
    taught.iter().map(|taught| course(db, taught.category, taught.course)).collect()
}
