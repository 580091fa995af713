//! What is wrong with a trace.

use std::fmt;
use std::path::{Path, PathBuf};

/// Names the file and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    file: PathBuf,
    what: String,
}

impl Error {
    pub(crate) fn new(file: &Path, what: String) -> Self {
        Self { file: file.to_owned(), what }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read the trace {}: {}", self.file.display(), self.what)
    }
}

impl std::error::Error for Error {}
