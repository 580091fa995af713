//! What threads meet at: the locks, atomics and threads of flights and loads. A model (`--cfg shuttle`) puts shuttle's in
//! their place, and so decides who comes next; see CONTRIBUTING.md.

#[cfg(not(shuttle))]
pub(crate) use {
    parking_lot::Mutex,
    std::{sync::atomic, thread, thread_local},
};

/// With a hash that short keys do not wait for; seeded at random, so that nobody can choose keys that collide.
#[cfg(not(shuttle))]
pub(crate) type DashMap<K, V> = dashmap::DashMap<K, V, rapidhash::fast::RandomState>;

#[cfg(shuttle)]
pub(crate) use {
    crate::modelled::{DashMap, Mutex},
    shuttle::{sync::atomic, thread, thread_local},
};
