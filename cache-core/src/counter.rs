//! Counters: stored `i64`s, added to with care.

use crate::error::{Error, ErrorKind, Result};
use crate::value::Value;

/// What `value`, stored under `key`, comes to with `delta` added.
///
/// # Errors
/// `NotAnInteger`, `Overflow`.
pub fn add(key: &str, value: &Value, delta: i64) -> Result<i64> {
    let count = value.as_integer().ok_or_else(|| {
        let found = value.kind().name();
        Error::new(
            ErrorKind::NotAnInteger,
            format!(
                "incr {key:?} by {delta}: it holds a `{found}`, not an `i64`; delete it, or use another key"
            ),
        )
    })?;
    count.checked_add(delta).ok_or_else(|| {
        let message = format!("incr {key:?} by {delta}: beyond the range of i64; it stays as it was");
        Error::new(ErrorKind::Overflow, message)
    })
}
