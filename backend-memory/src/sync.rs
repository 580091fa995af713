//! What threads meet at: the lock of a shard, and the locks and atomics of the marks. A model (`--cfg shuttle`) puts
//! shuttle's in their place, and so decides who comes next; see CONTRIBUTING.md.
//!
//! A hit holds its shard's lock for some 20 ns, and its unlocking is on every hit's path: a spin lock frees itself with
//! a plain store, where a parking one needs a second atomic read-modify-write (measured: docs/design.md, "the spike").
//! Whoever does not get it yields its time slice, so a holder that lost its core is not waited for hot.

#[cfg(not(shuttle))]
pub(crate) use {
    parking_lot::{Mutex, MutexGuard, RwLock},
    spin::mutex::SpinMutexGuard as ShardGuard,
    std::sync::atomic,
    std::thread::yield_now,
};

#[cfg(shuttle)]
pub(crate) use {
    cache_core::modelled::{Mutex, Mutex as ShardLock, MutexGuard, MutexGuard as ShardGuard, RwLock},
    shuttle::sync::atomic,
    shuttle::thread::yield_now,
};

/// See the module.
#[cfg(not(shuttle))]
pub(crate) type ShardLock<T> = spin::mutex::SpinMutex<T, spin::Yield>;

/// Two cache lines of its own, so that neighbouring shards do not fetch each other's.
#[repr(align(128))]
pub(crate) struct Padded<T>(pub(crate) T);
