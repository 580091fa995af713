//! How a backend stands to a store elsewhere.

use std::time::Duration;

use serde::Serialize;

/// How the connection of a backend to a store elsewhere is, such as a Redis; see [`Cache::remote`](crate::Cache::remote)
/// and [`Health::remote`](crate::Health::remote). Serialises as an object of its fields; serde writes `connected_for` as
/// `{"secs": 1, "nanos": 500000000}`, or null.
///
/// A backend of your own begins with [`default`](Default::default), which is down with nothing under way, and fills in
/// what it knows.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Connection {
    /// For how long it has stood; `None` while it is down.
    pub connected_for: Option<Duration>,
    /// Operations under way.
    pub in_flight: usize,
    /// Invalidations that the store does not have yet.
    pub queued: usize,
    /// How often it was lost.
    pub reconnects: u64,
    /// Why it is down, in words; that it is being made, before it stands for the first time.
    pub trouble: Option<String>,
    /// Why it does not tell what others change, though somebody listens; it works all the same.
    pub untold: Option<String>,
}
