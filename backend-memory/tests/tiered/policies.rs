//! What is kept where.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use cache_core::{
    Cache, Engine, ErrorKind, Kind, Lifetime, Local, ManualClock, Policy, Set, Stored, Strength, Target,
    Tier, Tiers, Ttl,
};

use crate::hub::Hub;
use crate::processes::{KEY, LIFE, Process, SECOND, finish, origin, processes, text};

/// Processes as applications hold them.
fn engines<const N: usize>(clock: &ManualClock) -> ([Process; N], [Engine; N]) {
    let processes = processes(clock);
    let engines = processes
        .each_ref()
        .map(|process: &Process| Engine::builder().clock(clock.clock()).build(process.cache.clone()));
    (processes, engines)
}

fn put(process: &Process, value: &str, tiers: Tiers) {
    let set = Set { origin: origin(tiers), ..Set::new(LIFE) };
    assert_eq!(finish(process.cache.set(KEY, text(value), set)), Stored::Yes);
}

#[test]
fn an_l1_ttl_bounds_the_copy_and_not_the_entry() {
    let clock = ManualClock::new();
    let hub = Hub::new(&clock);
    let a = Process::cut_off_for(&hub, &clock, SECOND * 2, SECOND * 5);
    a.view.restore();
    a.set("v");
    a.get();
    clock.advance(SECOND);
    let entry = a.entry().expect("there");
    assert_eq!((entry.tier, entry.left.fresh, entry.age), (Tier::L1, SECOND * 9, SECOND));
    clock.advance(SECOND);
    assert_eq!(a.fresh(), None, "its time in memory is over");
    let entry = a.entry().expect("still there");
    assert_eq!((entry.tier, entry.left.fresh, entry.age), (Tier::L2, SECOND * 8, SECOND * 2));
    assert!(a.fresh().is_some(), "a new copy");
    // What has no time in memory at all.
    let b = Process::cut_off_for(&hub, &clock, Duration::ZERO, SECOND * 5);
    b.view.restore();
    b.get();
    assert_eq!(b.fresh(), None);
    assert_eq!(b.memory.usage().entries, 0);
}

#[test]
fn what_skips_l1_is_in_no_memory() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    put(&a, "v", Tiers::L2);
    for process in [&a, &b] {
        assert_eq!(process.get().as_deref(), Some("v"));
        assert_eq!(process.fresh(), None);
    }
    let fence = a.fence();
    let set = Set { origin: origin(Tiers::L2), fence: Some(fence), ..Set::new(LIFE) };
    assert_eq!(finish(a.cache.set(KEY, text("loaded"), set)), Stored::Yes);
    assert_eq!((a.fresh(), b.get().as_deref()), (None, Some("loaded")));
}

#[test]
fn what_skips_l2_is_in_one_memory() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    a.set("older, for all");
    put(&a, "mine", Tiers::L1);
    assert_eq!(a.fresh().as_deref(), Some("mine"), "without asking the store");
    assert_eq!(b.get(), None, "the older one is gone");
    // Stale too: the store has nothing to say of it.
    clock.advance(SECOND * 11);
    assert!(a.entry().expect("stale").left.fresh.is_zero());
    assert_eq!(finish(a.cache.ttl(KEY)).expect("stale").total, SECOND * 9);
    assert_eq!(b.get(), None);
    put(&a, "mine", Tiers::L1);
    assert!(finish(a.cache.expire(KEY, SECOND)));
    clock.advance(SECOND);
    assert_eq!(a.fresh(), None);
    put(&a, "mine", Tiers::L1);
    assert!(finish(a.cache.delete(KEY)), "it was there");
    assert_eq!(a.get(), None);
    // Other processes' invalidations count for it.
    put(&a, "mine", Tiers::L1);
    a.view.hear();
    assert_eq!(a.get().as_deref(), None, "the word of its own forgetting comes late, and costs the copy");
    put(&a, "mine", Tiers::L1);
    a.view.lose();
    b.strike(Target::Pattern("user:*"), Strength::Remove);
    a.view.hear();
    assert_eq!(a.get(), None);
}

/// Of those who claim a key that is for this process alone, one wins.
#[test]
fn a_claim_in_memory_alone_is_won_once() {
    let clock = ManualClock::new();
    let [a] = processes(&clock);
    let claim = || {
        let set = Set { origin: origin(Tiers::L1), if_absent: true, ..Set::new(LIFE) };
        finish(a.cache.set(KEY, text("claim"), set))
    };
    assert_eq!((claim(), claim()), (Stored::Yes, Stored::Exists));
    clock.advance(SECOND * 10);
    assert_eq!(claim(), Stored::Yes);
}

#[test]
fn policies_say_so() {
    let clock = ManualClock::new();
    let ([a, b], [one, other]) = engines(&clock);
    one.set(KEY, "v".to_owned(), Policy::ttl(SECOND).skip_l1()).wait().expect("set");
    assert_eq!((a.get().as_deref(), a.fresh()), (Some("v"), None));
    one.set(KEY, "v".to_owned(), Policy::ttl(SECOND).skip_l2()).wait().expect("set");
    assert_eq!((a.fresh().as_deref(), b.get()), (Some("v"), None));
    let loaded = || "loaded".to_owned();
    one.get_or_compute("k:1", Policy::ttl(SECOND).skip_l2(), loaded);
    assert!(one.exists("k:1").wait().expect("asked") && !other.exists("k:1").wait().expect("asked"));
    one.get_or_compute("k:2", Policy::ttl(SECOND).skip_l1(), loaded);
    assert!(a.cache.fresh("k:2").is_none() && other.exists("k:2").wait().expect("asked"));
    let neither = one.set(KEY, 1_u8, Policy::ttl(SECOND).skip_l1().skip_l2()).wait().expect_err("refused");
    assert_eq!(neither.kind(), ErrorKind::InvalidPolicy);
}

#[test]
fn values_that_cannot_leave_the_process_stay_here() {
    let clock = ManualClock::new();
    let ([_a, b], [one, _]) = engines(&clock);
    one.set(KEY, Local(7_u8), SECOND).wait().expect("set");
    assert_eq!(one.get::<Local<u8>>(KEY).wait().expect("got").expect("there").0, 7);
    let loaded = one.get_or_compute("loaded", SECOND, || Local(8_u8));
    assert_eq!(loaded.0, 8);
    assert_eq!(one.get_or_compute("loaded", SECOND, || Local(9_u8)).0, 8, "it was kept");
    assert!(finish(b.cache.ttl(KEY)).is_none() && finish(b.cache.ttl("loaded")).is_none());
}

/// Its next value may be another process's.
#[test]
fn counters_are_in_no_memory() {
    let clock = ManualClock::new();
    let ([a, _b], [one, other]) = engines(&clock);
    for round in 1..4 {
        assert_eq!(one.incr(KEY, 1).wait().expect("counted"), 2 * round - 1);
        assert_eq!(other.incr(KEY, 1).wait().expect("counted"), 2 * round);
        assert_eq!(one.get::<i64>(KEY).wait().expect("got").as_deref(), Some(&(2 * round)), "no notice came");
        assert!(a.cache.fresh(KEY).is_none());
    }
    one.set(KEY, 5_i64, Policy::ttl(SECOND).skip_l2()).wait().expect("set");
    assert_eq!(other.get::<i64>(KEY).wait().expect("got").as_deref(), Some(&5));
}

/// "There is none" is a value like others, with a life of its own.
#[test]
fn what_says_that_there_is_none_is_copied_for_its_own_time() {
    let clock = ManualClock::new();
    let ([a, _b], [one, other]) = engines(&clock);
    let policy = Policy::ttl(SECOND * 60).negative_ttl(SECOND * 5);
    assert_eq!(*one.get_or_compute(KEY, policy.clone(), || None::<u8>), None);
    assert!(a.cache.fresh(KEY).is_some());
    clock.advance(SECOND * 2);
    assert_eq!(*other.get_or_compute(KEY, policy.clone(), || Some(1_u8)), None);
    assert_eq!(other.ttl(KEY).wait().expect("asked"), Ttl::Left(SECOND * 3));
    clock.advance(SECOND * 3);
    assert_eq!(*other.get_or_compute(KEY, policy, || Some(1_u8)), Some(1));
}

/// What `fresh` may not answer with, a copy does not either.
#[test]
fn a_copy_is_looked_at_as_closely_as_what_it_is_of() {
    let clock = ManualClock::new();
    let ([a, b], [one, other]) = engines(&clock);
    let versioned = |version| Policy::ttl(SECOND * 60).version(version);
    one.set(KEY, 1_u8, versioned(1)).wait().expect("set");
    other.get::<u8>(KEY).wait().expect("got");
    assert!(b.cache.fresh(KEY).is_none());
    assert_eq!(*other.get_or_compute(KEY, versioned(2), || 2_u8), 2);
    // And what is to be refreshed early is, also by who did not load it; from its true age on.
    let early = Policy::ttl(SECOND * 60).refresh_ahead(0.5);
    one.get_or_compute("k", early.clone(), || 1_u8);
    clock.advance(SECOND * 20);
    assert_eq!(*other.get_or_compute("k", early.clone(), || 2_u8), 1);
    assert!(b.cache.fresh("k").is_some());
    clock.advance(SECOND * 10);
    assert!(b.cache.fresh("k").is_none() && a.cache.fresh("k").is_none());
    assert_eq!(*other.get_or_compute("k", early.in_caller(), || 2_u8), 2);
}

/// `max_age` counts from when the value was stored, not from when it was copied.
#[test]
fn a_copy_is_as_old_as_what_it_is_of() {
    let clock = ManualClock::new();
    let ([_a, _b], [one, other]) = engines(&clock);
    one.set(KEY, 1_u8, SECOND * 60).wait().expect("set");
    clock.advance(SECOND * 10);
    other.get::<u8>(KEY).wait().expect("got");
    clock.advance(SECOND * 5);
    let hit = other.lookup::<u8>(KEY).wait().expect("got").expect("there");
    assert_eq!((hit.age, hit.tier, hit.remaining), (SECOND * 15, Tier::L1, SECOND * 45));
    assert!(other.lookup_within::<u8>(KEY, SECOND * 14).wait().expect("got").is_none());
    assert_eq!(*other.get_or_compute(KEY, Policy::ttl(SECOND).max_age(SECOND * 14), || 2_u8), 2);
}

/// Tags and origin come with the copy.
#[test]
fn a_copy_says_what_the_entry_said() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    b.store("v", Lifetime::FOREVER, &["users", "school:7"]);
    let (far, near) = (a.entry().expect("there"), a.entry().expect("there"));
    assert_eq!((far.tier, near.tier), (Tier::L2, Tier::L1));
    assert_eq!((far.tags.len(), far.origin, far.left), (2, near.origin, near.left));
    let sorted = |mut tags: Vec<Box<str>>| {
        tags.sort();
        tags
    };
    assert_eq!(sorted(far.tags), sorted(near.tags));
}

/// What another process stored as another type is an error as it is without memory in front.
#[test]
fn an_answer_that_is_an_error_is_no_store_that_is_away() {
    let clock = ManualClock::new();
    let [a] = processes(&clock);
    a.set("v");
    a.get();
    clock.advance(SECOND * 11);
    a.view.away.store(true, SeqCst);
    assert!(a.cache.get(KEY, Kind::of::<String>()).wait().expect("the copy").is_some());
    assert_eq!(a.cache.delete(KEY).wait().expect_err("away").kind(), ErrorKind::Unavailable);
    assert_eq!(
        a.cache.get(KEY, Kind::of::<String>()).wait().expect_err("no copy").kind(),
        ErrorKind::Unavailable
    );
}
