//! The lock of a shard.
//!
//! A hit holds it for some 20 ns, and its unlocking is on every hit's path: a spin lock frees itself with a plain
//! store, where a parking one needs a second atomic read-modify-write (measured: docs/design.md, "the spike").
//! Whoever does not get it yields its time slice, so a holder that lost its core is not waited for hot.

/// See the module.
pub(crate) type ShardLock<T> = spin::mutex::SpinMutex<T, spin::Yield>;

/// Two cache lines of its own, so that neighbouring shards do not fetch each other's.
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);
