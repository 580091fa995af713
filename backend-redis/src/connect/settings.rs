//! What a connection can be told.

use std::time::Duration;

use crate::connect::place::{Dial, Place};

/// How Redis is reached, and how long anything may take. Holds passwords, so it is not to be shown.
pub(crate) struct Settings {
    pub(crate) place: Place,
    pub(crate) dial: Dial,
    pub(crate) namespace: String,
    /// For one round trip.
    pub(crate) response: Duration,
    /// For a whole operation, of however many round trips.
    pub(crate) operation: Duration,
    /// How many undelivered invalidations are kept one by one.
    pub(crate) queue: usize,
    /// For how long a load may hold the place of its value, and a mark that nobody needs is kept: far longer than
    /// between looking for one and making one.
    pub(crate) hold: Duration,
}
