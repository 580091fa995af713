//! Loads of several processes, as applications ask for them.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use cache_core::{Cache, Engine, Load, Loaded, ManualClock, Policy, Target};

use crate::processes::{KEY, Process, SECOND, end, poll, processes};

fn engine(process: &Process, clock: &ManualClock) -> Engine {
    Engine::builder().clock(clock.clock()).build(process.cache.clone())
}

/// Answers when it is told to.
async fn when(open: &AtomicU32, value: u32) -> u32 {
    std::future::poll_fn(|_| match open.load(SeqCst) {
        0 => std::task::Poll::Pending,
        _ => std::task::Poll::Ready(()),
    })
    .await;
    value
}

/// Whoever comes after the word of an invalidation does not join a load that began before it.
#[test]
fn a_load_in_flight_is_not_joined_after_the_notice() {
    for target in [Target::Key(KEY), Target::Tag("users"), Target::Pattern("user:*"), Target::All] {
        for namespace in [None, Some("campus")] {
            let clock = ManualClock::new();
            let [a, b] = processes(&clock);
            let build = |process: &Process| {
                let builder = Engine::builder().clock(clock.clock());
                match namespace {
                    Some(namespace) => builder.namespace(namespace).expect("valid"),
                    None => builder,
                }
                .build(process.cache.clone())
            };
            let (one, other) = (build(&a), build(&b));
            let (open, loads) = (AtomicU32::new(0), AtomicU32::new(0));
            let load = || {
                let value = loads.fetch_add(1, SeqCst) + 1;
                when(&open, value)
            };
            let policy = Policy::ttl(SECOND * 60).tags(["users"]).in_caller();
            let mut first = Box::pin(one.get_or_load(KEY, policy.clone(), load));
            while loads.load(SeqCst) == 0 {
                assert!(poll(&mut first).is_none());
            }
            other.invalidate(target).wait().expect("struck");
            let mut early = Box::pin(one.get_or_load(KEY, policy.clone(), load));
            for _ in 0..20 {
                assert!(poll(&mut early).is_none());
            }
            assert_eq!(loads.load(SeqCst), 1, "{target:?}: it is joined until the notice comes");
            a.view.hear();
            let mut late = Box::pin(one.get_or_load(KEY, policy.clone(), load));
            for _ in 0..20 {
                assert!(poll(&mut late).is_none());
            }
            assert_eq!(loads.load(SeqCst), 2, "{target:?} {namespace:?}: it loads for itself");
            open.store(1, SeqCst);
            assert_eq!((*end(first), *end(early)), (1, 1));
            assert_eq!(*end(late), 2);
            assert_eq!(one.get::<u32>(KEY).wait().expect("got").as_deref(), Some(&2), "{target:?}");
        }
    }
}

/// The same when the channel stands again after a break: the word may have been lost.
#[test]
fn a_load_in_flight_is_not_joined_after_a_break() {
    let clock = ManualClock::new();
    let [a] = processes(&clock);
    let cache = engine(&a, &clock);
    let (open, loads) = (AtomicU32::new(0), AtomicU32::new(0));
    let load = || when(&open, loads.fetch_add(1, SeqCst) + 1);
    let policy = Policy::ttl(SECOND * 60).in_caller();
    let mut first = Box::pin(cache.get_or_load(KEY, policy.clone(), load));
    while loads.load(SeqCst) == 0 {
        assert!(poll(&mut first).is_none());
    }
    a.view.cut_off(Duration::ZERO);
    a.view.restore();
    let mut late = Box::pin(cache.get_or_load(KEY, policy, load));
    for _ in 0..20 {
        assert!(poll(&mut late).is_none());
    }
    assert_eq!(loads.load(SeqCst), 2);
}

/// A loader that answers "not modified" has in its hand what the store has, and not the copy of what was invalidated.
#[test]
fn not_modified_does_not_bring_back_what_was_invalidated_elsewhere() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    let (one, other) = (engine(&a, &clock), engine(&b, &clock));
    let early = || Policy::ttl(SECOND * 60).refresh_ahead(0.5).in_caller();
    one.get_or_compute(KEY, early(), || 1_u32);
    clock.advance(SECOND * 40);
    other.invalidate(KEY).wait().expect("struck");
    // No notice came yet.
    assert_eq!(one.get::<u32>(KEY).wait().expect("got").as_deref(), Some(&1));
    let seen = AtomicU32::new(0);
    let load = async |load: Load<u32>| {
        seen.store(load.stale().map_or(9, |previous| **previous), SeqCst);
        Ok::<_, std::convert::Infallible>(Loaded::new(2))
    };
    assert_eq!(*end(Box::pin(one.load_with(KEY, early(), load))).expect("loaded"), 2);
    assert_eq!(seen.load(SeqCst), 9, "there is no previous value");
}

/// A load of another process is a change like others: the copy of the older value goes.
#[test]
fn what_one_process_has_loaded_anew_the_others_read() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    let (one, other) = (engine(&a, &clock), engine(&b, &clock));
    one.get_or_compute(KEY, SECOND * 60, || 1_u32);
    assert_eq!(*other.get_or_compute(KEY, SECOND * 60, || 9_u32), 1, "loaded once for all");
    let anew = Policy::ttl(SECOND * 60).max_age(Duration::ZERO);
    assert_eq!(*one.get_or_compute(KEY, anew, || 2_u32), 2);
    b.view.hear();
    assert_eq!(other.get::<u32>(KEY).wait().expect("got").as_deref(), Some(&2));
}

/// Invalidating within a namespace is heard there, and nowhere else.
#[test]
fn namespaces_over_two_tiers_hear_of_their_own() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    let named = |process: &Process, name| {
        let builder = Engine::builder().clock(clock.clock()).namespace(name).expect("valid");
        builder.build(process.cache.clone())
    };
    let (mine, theirs) = (named(&a, "mine"), named(&b, "mine"));
    let other = named(&a, "other");
    for cache in [&mine, &other] {
        cache.set(KEY, 1_u8, SECOND * 60).wait().expect("set");
        cache.get::<u8>(KEY).wait().expect("copied");
    }
    a.view.lose();
    theirs.clear().wait().expect("cleared");
    a.view.hear();
    assert!(mine.get::<u8>(KEY).wait().expect("got").is_none());
    assert!(a.cache.fresh("other:user:7").is_some());
}
