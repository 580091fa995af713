//! What threads meet at: the locks, atomics and threads of flights and loads. A model (`--cfg shuttle`) puts shuttle's in
//! their place, and so decides who comes next; see CONTRIBUTING.md.

#[cfg(not(shuttle))]
pub(crate) use {
    dashmap::{DashMap, mapref::entry::Entry},
    parking_lot::Mutex,
    std::{sync::atomic, thread, thread_local},
};

#[cfg(shuttle)]
pub(crate) use {
    crate::modelled::{DashMap, Entry, Mutex},
    shuttle::{sync::atomic, thread, thread_local},
};
