//! The in-process store of the larder cache: sharded, bounded, with deadlines, tags and patterns.
//!
//! One request through the code: [`Memory`] hashes the key and locks its `shard`; the shard finds the slot, asks
//! the `marks` whether an invalidation of a pattern or a tag covers it, the clock whether its time is over, and
//! tells the eviction `policy` of the hit.
//!
//! The feature `moka` adds `Moka` as a second store with the same guarantees; it shares the
//! `marks`, the `shard`'s fences, the `admission` of values, and the `sweep`'s alarm.

mod admission;
mod backend;
mod budget;
mod builder;
mod departure;
mod marks;
mod memory;
#[cfg(feature = "moka")]
mod moka;
mod policy;
mod shard;
mod sweep;
mod sync;
mod weigh;

pub use builder::MemoryBuilder;
pub use departure::RemovalCause;
pub use memory::Memory;
#[cfg(feature = "moka")]
pub use moka::{Moka, MokaBuilder};
