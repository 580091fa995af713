//! Eviction policies, as state machines over slot numbers: no keys, no values, no time, no locks.

mod ghost;
mod list;
mod s3_fifo;

pub(crate) use s3_fifo::S3Fifo;

/// A slot of the shard.
pub(crate) type Id = u32;

/// The byte that a shard keeps beside each entry for its policy, in the cache line that a hit reads anyway.
pub(crate) trait Marks {
    fn mark(&mut self, id: Id) -> &mut u8;
}

/// What a shard needs of an eviction policy. Calls come under the shard's lock.
pub(crate) trait Policy: Default + Send + 'static {
    /// The entry whose mark this is was read.
    fn hit(&mut self, mark: &mut u8);

    /// A new entry; `hash` is that of its key, by which the policy may remember it when it is gone.
    fn insert(&mut self, id: Id, hash: u64, weight: u32);

    /// The entry weighs something else now.
    fn reweigh(&mut self, id: Id, weight: u32);

    /// The entry stands in another slot now, which was free.
    fn moved(&mut self, from: Id, to: Id);

    /// No slot from `end` on is in use: what is kept for those can go.
    fn shrink(&mut self, end: Id);

    /// The entry has left for a reason of its own.
    fn remove(&mut self, id: Id);

    /// Gives up the entry that is worth the least. `hash_of` tells the hash that an entry was inserted with.
    fn evict(&mut self, slots: &mut impl Marks, hash_of: impl Fn(Id) -> u64) -> Option<Id>;
}
