//! What a connection can be told.

use std::fmt;
use std::time::Duration;

/// How Redis is reached, and how long anything may take.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) client: redis::Client,
    pub(crate) namespace: String,
    /// For a connection to stand.
    pub(crate) connect: Duration,
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

impl fmt::Debug for Settings {
    /// Without the address, which has the password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("namespace", &self.namespace)
            .field("connect", &self.connect)
            .field("response", &self.response)
            .field("operation", &self.operation)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
