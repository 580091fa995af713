//! An `i64` that a function returned.

use serde::{Deserialize, Serialize};

/// Kept as a value like any other. A bare `i64` in the cache is a counter, and counters have neither tags nor stale windows.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(pub i64);
