//! What is asked of Redis: reads and plain sets that share round trips, writes, strikes, scans.

pub(crate) mod acked;
pub(crate) mod fleet;
pub(crate) mod lease;
pub(crate) mod read;
pub(crate) mod scan;
pub(crate) mod strike;
pub(crate) mod turn;
pub(crate) mod write;
