//! Both stores against the plain backend, bare and in wrappers, large and so small that they evict.

use backend_memory::Memory;
#[cfg(feature = "moka")]
use backend_memory::Moka;
use cache_core::ManualClock;
use cache_core::testing::{Faulty, Remote, model};

fn memory(clock: &ManualClock, capacity: usize) -> Memory {
    Memory::builder().capacity(capacity).clock(clock.clock()).build()
}

#[test]
fn memory_does_what_the_plain_backend_does() {
    model::run(2000, |clock| memory(clock, 10_000));
}

#[test]
fn so_does_memory_in_wrappers() {
    model::run(300, |clock| Remote::new(memory(clock, 10_000)));
    model::run(300, |clock| Faulty::new(memory(clock, 10_000)));
}

#[test]
fn a_small_memory_may_lack_entries_and_has_no_others() {
    for capacity in [1, 3] {
        model::run_evicting(1000, |clock| memory(clock, capacity));
    }
}

#[cfg(feature = "moka")]
fn moka(clock: &ManualClock, capacity: usize) -> Moka {
    Moka::builder().capacity(capacity).clock(clock.clock()).build()
}

/// There is room for every key, so moka has no reason to evict.
#[cfg(feature = "moka")]
#[test]
fn moka_does_what_the_plain_backend_does() {
    model::run(1000, |clock| moka(clock, 10_000));
    model::run(200, |clock| Remote::new(moka(clock, 10_000)));
}

#[cfg(feature = "moka")]
#[test]
fn a_small_moka_may_lack_entries_and_has_no_others() {
    model::run_evicting(1000, |clock| moka(clock, 2));
}
