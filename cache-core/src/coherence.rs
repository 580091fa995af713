//! What a cache knows of how true its copies are.

use std::time::Duration;

use serde::Serialize;

/// How a process hears of what others change, and what became of the copies that it compared; all zero where nobody else
/// changes anything. Counts are since the start. Serialises as an object of its fields; serde writes `behind` as
/// `{"secs": 1, "nanos": 500000000}`.
///
/// A backend of your own that tells of changes begins with [`default`](Default::default), fills in what it knows, and hands
/// it out in [`Usage::coherence`](crate::Usage::coherence).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Coherence {
    /// Changes of this process that the store took, and of which it tells the others: values stored (by loads too), entries
    /// removed or given another deadline, counters added to, and invalidations, each of which is one however much it covers.
    pub notices_sent: u64,
    /// Changes that the store told of: one for each key or tag, and one where it was everything. A few are of this process'
    /// own doing, which a store need not tell apart.
    pub notices_received: u64,
    /// How often copies in memory were given up since word of changes may have been missed: the connection was lost, or the
    /// store did not say in time that its word can be relied on.
    pub gaps: u64,
    /// How often the connection to the store was lost.
    pub reconnects: u64,
    /// How long ago it was last known that all changes had been heard of. Under a second over a Redis that is well; it grows
    /// while the connection is down, and where the store does not tell.
    pub behind: Duration,
    /// Copies in memory that the [sampler](crate::TieredBuilder::sampler) compared with what the store has.
    pub compared: u64,
    /// Those of them that were served for longer than they may be, though the store had something else, or nothing.
    pub disagreed: u64,
}
