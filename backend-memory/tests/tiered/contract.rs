//! Two and three tiers keep the contract, and do what the plain backend does.

use std::sync::Arc;
use std::time::Duration;

use backend_memory::Memory;
#[cfg(feature = "moka")]
use backend_memory::Moka;
use cache_core::testing::conformance::{self, Subject};
use cache_core::testing::{Remote, model};
use cache_core::{Cache, Engine, ManualClock, Tiered};

type Tier = fn(&ManualClock) -> Arc<dyn Cache>;

/// Holds everything that the suites store.
fn large(clock: &ManualClock) -> Arc<dyn Cache> {
    Arc::new(Memory::builder().capacity(10_000).clock(clock.clock()).build())
}

/// So small that most copies are evicted: what they are of is still behind it.
fn small(clock: &ManualClock) -> Arc<dyn Cache> {
    Arc::new(Memory::builder().capacity(3).clock(clock.clock()).build())
}

#[cfg(feature = "moka")]
fn moka(clock: &ManualClock) -> Arc<dyn Cache> {
    Arc::new(Moka::builder().capacity(1_000).clock(clock.clock()).build())
}

/// As a remote store answers.
fn remote(clock: &ManualClock) -> Arc<dyn Cache> {
    Arc::new(Remote::new(Memory::builder().capacity(10_000).clock(clock.clock()).build()))
}

fn tiered(near: Tier, far: Tier, clock: &ManualClock) -> Tiered {
    Tiered::builder(near(clock), far(clock)).clock(clock.clock()).build()
}

fn two(clock: &ManualClock) -> Arc<dyn Cache> {
    Arc::new(tiered(large, remote, clock))
}

const PAIRS: &[(&str, Tier, Tier)] = &[
    ("memory over memory", large, large),
    ("memory over what answers late", large, remote),
    ("a small memory", small, remote),
    ("three tiers", large, two),
    ("three tiers, a small one in front", small, two),
    #[cfg(feature = "moka")]
    ("moka over what answers late", moka, remote),
];

#[test]
fn the_contract() {
    for (name, near, far) in PAIRS {
        let clock = ManualClock::new();
        println!("{name}");
        let cache = tiered(*near, *far, &clock);
        conformance::run(&Subject { cache: &cache, advance: &|by| clock.advance(by) });
    }
}

/// In a namespace, copies of short life.
#[test]
fn the_contract_with_an_l1_ttl_in_a_namespace() {
    let clock = ManualClock::new();
    let tiers = Tiered::builder(large(&clock), remote(&clock));
    let tiers = tiers.clock(clock.clock()).l1_ttl(Duration::from_millis(20)).build();
    let builder = Engine::builder().clock(clock.clock()).namespace("campus").expect("valid");
    let cache = builder.build(Arc::new(tiers));
    conformance::run(&Subject { cache: &**cache.backend(), advance: &|by| clock.advance(by) });
}

#[test]
fn the_model() {
    for (name, near, far) in PAIRS {
        println!("{name}");
        model::run(150, |clock| tiered(*near, *far, clock));
    }
    for ttl in [0, 1, 50] {
        model::run(100, |clock| {
            let tiers = Tiered::builder(large(clock), remote(clock));
            tiers.clock(clock.clock()).l1_ttl(Duration::from_millis(ttl)).build()
        });
    }
}
