//! The one error type: what was tried, on which key, and what to do about it.

use std::fmt;

/// What [`Error`] says went wrong, for programs that decide by it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorKind {
    /// A value could not be encoded or decoded.
    Codec,
    /// A global cache was installed twice, or after it had been used.
    Installed,
    /// A setting, as from the environment, that cannot be.
    InvalidConfig,
    /// A key is empty, longer than 1024 bytes, or holds a control character.
    InvalidKey,
    /// A pattern is not a glob that Redis would read the same way.
    InvalidPattern,
    /// A policy cannot hold, such as a TTL of zero.
    InvalidPolicy,
    /// A tag is empty, longer than 1024 bytes, or holds a control character.
    InvalidTag,
    /// A text is no [`Token`](crate::Token).
    InvalidToken,
    /// `incr` on an entry that is no counter.
    NotAnInteger,
    /// `incr` would leave the range of `i64`.
    Overflow,
    /// An invalidation could not be delivered yet: it is queued, and its targets are treated as invalid here until it is.
    Queued,
    /// A [`Reply`](crate::Reply) was polled again after it had answered.
    PolledAgain,
    /// A load took longer than its hard timeout; or a node that keeps its lease has not acknowledged a change.
    Timeout,
    /// An encoded value has more bytes than the backend takes.
    TooLarge,
    /// The entry holds a value of another type.
    TypeMismatch,
    /// A loader of many keys gave one that it was not asked for.
    UnexpectedKey,
    /// A backend could not be reached, or failed.
    Unavailable,
}

/// An error of an explicit cache operation. Loads never fail for the cache's sake.
///
/// No value and no secret appears in its `Debug` or `Display`; keys do.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// `std::result::Result` with larder's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`; `message` says what was tried, on which key, and what to do.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What went wrong, as a kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The error for a reader of `asked` who finds a `found` under `key`.
    #[cold]
    pub fn type_mismatch(key: &str, found: &str, asked: &str) -> Self {
        Self::new(
            ErrorKind::TypeMismatch,
            format!(
                "{key:?} holds a `{found}`, not a `{asked}`: read it as what was stored, or use another key"
            ),
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind).field("message", &self.0.message);
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
