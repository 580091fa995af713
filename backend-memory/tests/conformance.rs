//! The contract, over both stores, bare and in wrappers.

use std::sync::Arc;

use backend_memory::Memory;
#[cfg(feature = "moka")]
use backend_memory::Moka;
use cache_core::testing::Remote;
use cache_core::testing::conformance::{self, Subject};
use cache_core::{Cache, Engine, ManualClock};

fn run(cache: &dyn Cache, clock: &ManualClock) {
    conformance::run(&Subject { cache, advance: &|by| clock.advance(by) });
}

/// Over the store as it is, and over two wrappers: as a remote backend would answer, and in a namespace.
fn keeps_the_contract<C: Cache + Clone>(store: impl Fn(&ManualClock) -> C) {
    let clock = ManualClock::new();
    run(&store(&clock), &clock);
    let clock = ManualClock::new();
    run(&Remote::new(store(&clock)), &clock);
    let clock = ManualClock::new();
    let builder = Engine::builder().clock(clock.clock()).namespace("campus").expect("valid");
    run(&**builder.build(Arc::new(store(&clock))).backend(), &clock);
}

#[test]
fn memory() {
    for capacity in [200, 100_000] {
        keeps_the_contract(|clock| Memory::builder().capacity(capacity).clock(clock.clock()).build());
    }
}

/// The suite expects to find what it has just stored. moka promises that only while there is room: so the capacity is
/// above all the keys that the suite leaves behind, and what happens below it is the property test's business.
#[cfg(feature = "moka")]
#[test]
fn moka() {
    for capacity in [1_000, 100_000] {
        keeps_the_contract(|clock| Moka::builder().capacity(capacity).clock(clock.clock()).build());
    }
}
