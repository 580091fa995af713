//! The contract, over `Memory` bare and in wrappers.

use std::sync::Arc;

use backend_memory::Memory;
use cache_core::testing::Remote;
use cache_core::testing::conformance::{self, Subject};
use cache_core::{Cache, Engine, ManualClock};

fn keeps_the_contract(wrap: impl FnOnce(Memory, &ManualClock) -> Arc<dyn Cache>) {
    for capacity in [200, 100_000] {
        let clock = ManualClock::new();
        let memory = Memory::builder().capacity(capacity).clock(clock.clock()).build();
        let cache = Arc::new(memory.clone());
        conformance::run(&Subject { cache: &*cache, advance: &|by| clock.advance(by) });
    }
    let clock = ManualClock::new();
    let cache = wrap(Memory::builder().clock(clock.clock()).build(), &clock);
    conformance::run(&Subject { cache: &*cache, advance: &|by| clock.advance(by) });
}

#[test]
fn bare() {
    keeps_the_contract(|memory, _| Arc::new(memory));
}

#[test]
fn always_pending_through_a_codec() {
    keeps_the_contract(|memory, _| Arc::new(Remote::new(memory)));
}

#[test]
fn namespaced() {
    keeps_the_contract(|memory, clock| {
        let builder = Engine::builder().clock(clock.clock()).namespace("campus").expect("valid");
        builder.build(Arc::new(memory)).backend().clone()
    });
}
