//! Which rows a page was made from, and how old they were: what the stale check looks at.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Table {
    Category,
    Teacher,
    Student,
    Course,
    Assignment,
    Enrolment,
    Submission,
    Payment,
    /// One row that stands for all payments: every payment raises its version.
    Ledger,
}

impl Table {
    pub const ALL: [Self; 9] = [
        Self::Category,
        Self::Teacher,
        Self::Student,
        Self::Course,
        Self::Assignment,
        Self::Enrolment,
        Self::Submission,
        Self::Payment,
        Self::Ledger,
    ];
}

/// A row of the database at one of its versions.
///
/// A write raises the version of every row it writes, and of those that stand for more than themselves: a student
/// for what is counted and summed over the student, a course, a teacher, a category (for its grades) and the
/// ledger likewise. So a count or an average on a page has a version too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub table: Table,
    pub id: u32,
    pub version: u32,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} at version {}", self.table, self.id, self.version)
    }
}

/// A value, and the rows it was read from.
#[derive(Debug, Serialize, Deserialize)]
pub struct Seen<T> {
    value: T,
    rows: Vec<Row>,
}

impl<T> Seen<T> {
    pub fn new(value: T, rows: Vec<Row>) -> Self {
        Self { value, rows }
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

impl<T> Deref for Seen<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
