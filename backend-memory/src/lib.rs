//! The in-process store of the larder cache: sharded, bounded, with deadlines, tags and patterns.
//!
//! One request through the code: [`Memory`] hashes the key and locks its `shard`; the shard finds the slot, asks
//! the `marks` whether an invalidation of a pattern or a tag covers it, the clock whether its time is over, and
//! tells the eviction `policy` of the hit.

mod admission;
mod backend;
mod budget;
mod builder;
mod departure;
mod marks;
mod memory;
mod policy;
mod shard;
mod sweep;
mod sync;
mod weigh;

pub use builder::MemoryBuilder;
pub use departure::RemovalCause;
pub use memory::Memory;
