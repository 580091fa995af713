//! What can go wrong between here and Redis, and how users are told.

use std::time::Duration;

use cache_core::{Error, ErrorKind};
use redis::{RedisError, ServerError};

/// Why a batch of commands has no answer, or a command a bad one.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There is no connection, and why.
    Down(String),
    /// It was sent, and nobody knows what became of it.
    Lost(String),
    /// Redis said no.
    Refused(String),
    /// Redis said what cannot be.
    Odd,
}

impl Failure {
    pub(crate) fn late(limit: Duration) -> Self {
        Self::Lost(format!("no answer within {limit:?}"))
    }

    /// Whether Redis has no room for what would be written.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::Refused(why) if why.contains("OOM"))
    }

    /// As an error of an operation: `what` was tried, on which key.
    pub(crate) fn into_error(self, what: &str) -> Error {
        let message = match self {
            Self::Down(why) => {
                format!("{what}: Redis is not reachable ({why}); it is tried again by itself, see `health()`")
            }
            Self::Lost(why) => {
                format!("{what}: whether it was done is not known, the connection to Redis was lost ({why})")
            }
            Self::Refused(why) => format!("{what}: Redis says {why}"),
            Self::Odd => format!(
                "{what}: Redis answered what larder does not understand: does another program use its keys?"
            ),
        };
        Error::new(ErrorKind::Unavailable, message)
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::Refused(match error.details() {
            Some(details) => format!("{}: {details}", error.code()),
            None => error.code().to_owned(),
        })
    }
}

/// What a connection says that has failed. The texts of redis-rs hold neither address nor password.
pub(crate) fn reason(error: &RedisError) -> String {
    error.to_string()
}
