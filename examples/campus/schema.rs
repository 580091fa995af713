//! The school's tables, and how large the school is.

pub const TABLES: &str = "
    CREATE TABLE categories  (id INTEGER PRIMARY KEY, name TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE teachers    (id INTEGER PRIMARY KEY, category_id INTEGER NOT NULL REFERENCES categories,
                              name TEXT NOT NULL, email TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE students    (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL,
                              year INTEGER NOT NULL, major_id INTEGER NOT NULL REFERENCES categories,
                              version INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE courses     (id INTEGER PRIMARY KEY, category_id INTEGER NOT NULL REFERENCES categories,
                              teacher_id INTEGER NOT NULL REFERENCES teachers, title TEXT NOT NULL,
                              credits INTEGER NOT NULL, version INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE assignments (id INTEGER PRIMARY KEY, course_id INTEGER NOT NULL REFERENCES courses,
                              title TEXT NOT NULL, due_on TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE enrolments  (id INTEGER PRIMARY KEY, student_id INTEGER NOT NULL REFERENCES students,
                              course_id INTEGER NOT NULL REFERENCES courses, enrolled_on TEXT NOT NULL,
                              version INTEGER NOT NULL DEFAULT 1, UNIQUE (student_id, course_id));
    CREATE TABLE submissions (id INTEGER PRIMARY KEY, assignment_id INTEGER NOT NULL REFERENCES assignments,
                              student_id INTEGER NOT NULL REFERENCES students,
                              course_id INTEGER NOT NULL REFERENCES courses, submitted_on TEXT NOT NULL,
                              score INTEGER, graded_on TEXT, version INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE payments    (id INTEGER PRIMARY KEY, student_id INTEGER NOT NULL REFERENCES students,
                              cents INTEGER NOT NULL, method TEXT NOT NULL, due_on TEXT NOT NULL, paid_on TEXT,
                              version INTEGER NOT NULL DEFAULT 1);
    CREATE TABLE ledger      (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL DEFAULT 1);
";

/// Made after the rows are in: that is quicker.
pub const INDEXES: &str = "
    CREATE INDEX courses_by_category     ON courses (category_id);
    CREATE INDEX courses_by_teacher      ON courses (teacher_id);
    CREATE INDEX assignments_by_course   ON assignments (course_id, due_on);
    CREATE INDEX enrolments_by_course    ON enrolments (course_id, student_id);
    CREATE INDEX submissions_by_student  ON submissions (student_id, course_id, score);
    CREATE INDEX submissions_by_course   ON submissions (course_id, student_id, score);
    CREATE INDEX submissions_by_day      ON submissions (course_id, submitted_on);
    CREATE INDEX submissions_to_grade    ON submissions (course_id, submitted_on) WHERE score IS NULL;
    CREATE INDEX payments_by_student     ON payments (student_id, paid_on, cents);
    CREATE INDEX payments_by_day         ON payments (paid_on, method, cents) WHERE paid_on IS NOT NULL;
    CREATE INDEX payments_due            ON payments (due_on, cents) WHERE paid_on IS NULL;
    ANALYZE;
";

/// The day on which the replay takes place.
pub const TODAY: &str = "2026-11-20";

/// How many rows the school has.
#[derive(Clone, Copy, Debug, Hash)]
pub struct School {
    pub categories: u32,
    pub teachers: u32,
    pub courses: u32,
    pub students: u32,
    pub enrolments: u32,
    pub submissions: u32,
    pub payments: u32,
}

impl School {
    pub const FULL: Self = Self {
        categories: 16,
        teachers: 200,
        courses: 400,
        students: 10_000,
        enrolments: 60_000,
        submissions: 90_000,
        payments: 100_000,
    };

    /// For tests.
    #[allow(dead_code, reason = "tests/campus.rs uses it")]
    pub const SMALL: Self = Self {
        categories: 4,
        teachers: 12,
        courses: 24,
        students: 300,
        enrolments: 1_500,
        submissions: 2_500,
        payments: 2_500,
    };

    pub const ASSIGNMENTS_PER_COURSE: u32 = 8;

    /// Every teacher teaches in one category, and all of a teacher's courses are of it.
    pub fn category_of_teacher(&self, teacher: u32) -> u32 {
        (teacher - 1) % self.categories + 1
    }

    pub fn teacher_of_course(&self, course: u32) -> u32 {
        (course - 1) % self.teachers + 1
    }

    pub fn category_of_course(&self, course: u32) -> u32 {
        self.category_of_teacher(self.teacher_of_course(course))
    }

    pub fn rows(&self) -> u32 {
        let assignments = self.courses * Self::ASSIGNMENTS_PER_COURSE;
        let people = self.teachers + self.students;
        self.categories
            + people
            + self.courses
            + assignments
            + self.enrolments
            + self.submissions
            + self.payments
    }
}
