//! The error of a load that took too long.

use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// A load was given up at its hard timeout; see [`Policy::hard_timeout`](crate::Policy::hard_timeout).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Timeout {
    key: Box<str>,
    after: Duration,
}

impl Timeout {
    pub(crate) fn new(key: &str, after: Duration) -> Self {
        Self { key: key.into(), after }
    }

    /// The key that was being loaded.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The timeout.
    pub fn after(&self) -> Duration {
        self.after
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, after } = self;
        write!(
            f,
            "loading {key:?} took longer than its hard timeout of {after:?}: look at its source, or allow more"
        )
    }
}

impl std::error::Error for Timeout {}

impl From<Timeout> for Error {
    fn from(timeout: Timeout) -> Self {
        Self::new(ErrorKind::Timeout, timeout.to_string()).with_source(timeout)
    }
}
