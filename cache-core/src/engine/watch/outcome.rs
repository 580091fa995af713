//! How an answer is called in an event, which never shows what the answer is.

use crate::entry::Stored;

pub(in crate::engine) trait Outcome {
    /// One word, in capitals.
    #[cfg_attr(not(feature = "tracing"), allow(dead_code))]
    fn word(&self) -> &'static str {
        "OK"
    }
}

impl Outcome for () {}

/// A counter's value is a value.
impl Outcome for i64 {}

/// Whether there was anything to do it to.
impl Outcome for bool {
    fn word(&self) -> &'static str {
        if *self { "OK" } else { "NOTHING" }
    }
}

impl Outcome for Stored {
    fn word(&self) -> &'static str {
        match self {
            Self::Yes => "OK",
            Self::Exists => "EXISTS",
            Self::Fenced => "FENCED",
        }
    }
}
