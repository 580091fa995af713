//! TTLs by name.

use std::time::Duration;

/// A minute.
pub const SHORT: Duration = Duration::from_secs(60);
/// Five minutes.
pub const MEDIUM: Duration = Duration::from_secs(300);
/// Half an hour.
pub const LONG: Duration = Duration::from_secs(1800);
/// An hour.
pub const VERY_LONG: Duration = Duration::from_secs(3600);
/// A day.
pub const DAY: Duration = Duration::from_secs(86400);
