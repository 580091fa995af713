//! Memory in front of a backend of one's own, as the builder puts them together.

use std::time::Duration;

use larder::testing::{Plain, Remote};
use larder::{Larder, LarderBuilder, ManualClock, Memory, Tier};

const SECOND: Duration = Duration::from_secs(1);

fn builder(clock: &ManualClock) -> LarderBuilder {
    let memory = Memory::builder().capacity(100).clock(clock.clock()).build();
    let backend = Remote::new(Plain::new(clock.clock()));
    Larder::builder().clock(clock.clock()).memory(memory).backend(backend)
}

fn tier(cache: &Larder) -> Option<Tier> {
    cache.lookup::<u8>("k").wait().expect("read").map(|hit| hit.tier)
}

#[test]
fn memory_stands_in_front() {
    for namespace in [None, Some("campus")] {
        let clock = ManualClock::new();
        let cache = match namespace {
            Some(namespace) => builder(&clock).namespace(namespace).build(),
            None => builder(&clock).build(),
        };
        cache.set("k", 1_u8, SECOND * 60).wait().expect("set");
        assert_eq!(tier(&cache), Some(Tier::L2));
        assert_eq!(tier(&cache), Some(Tier::L1));
        clock.advance(SECOND * 59);
        assert_eq!(tier(&cache), Some(Tier::L1), "nobody else changes what is behind it");
    }
}

#[test]
fn the_order_in_which_they_are_named_says_nothing() {
    let clock = ManualClock::new();
    let memory = Memory::builder().capacity(100).clock(clock.clock()).build();
    let cache = Larder::builder().backend(Remote::new(Plain::new(clock.clock()))).memory(memory);
    let cache = cache.clock(clock.clock()).build();
    cache.set("k", 1_u8, SECOND * 60).wait().expect("set");
    assert_eq!((tier(&cache), tier(&cache)), (Some(Tier::L2), Some(Tier::L1)));
}

#[test]
fn copies_have_a_time_of_their_own() {
    let clock = ManualClock::new();
    let cache = builder(&clock).l1_ttl(SECOND * 2).cut_off_ttl(SECOND).build();
    cache.set("k", 1_u8, SECOND * 60).wait().expect("set");
    assert_eq!((tier(&cache), tier(&cache)), (Some(Tier::L2), Some(Tier::L1)));
    clock.advance(SECOND * 2);
    assert_eq!(tier(&cache), Some(Tier::L2));
}
