//! The ways in which hybrid caches of other languages serve what is stale, one by one
//! (each name says what must not happen; the mechanism in the way stands in `cache_core::tiered`).

use cache_core::{Cache, Kind, Lifetime, ManualClock, Reply, Stored, Strength, Target};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::processes::{KEY, LIFE, Process, SECOND, finish, processes, read};

type Change = (&'static str, fn(&Process));
type Changing = (&'static str, fn(&Process) -> Reply<'_, ()>);

/// All that changes `KEY`, of which memory here holds nothing.
const CHANGES: [Change; 6] = [
    ("set", |p| p.set("new")),
    ("delete", |p| assert!(p.cache.delete(KEY).wait().is_ok())),
    ("key", |p| p.strike(Target::Key(KEY), Strength::Remove)),
    ("pattern", |p| p.strike(Target::Pattern("user:*"), Strength::Remove)),
    ("tag", |p| p.strike(Target::Tag("users"), Strength::Remove)),
    ("all", |p| p.strike(Target::All, Strength::Remove)),
];

fn ask(process: &Process) -> Reply<'_, Option<cache_core::Entry>> {
    process.cache.get(KEY, Kind::of::<String>())
}

/// FusionCache, BentoCache, JetCache: a notice for what is not in memory is ignored, and the value that is just being
/// fetched from the store is kept. cashews, GoCache: the same by their own copy on the way.
#[test]
fn a_backfill_in_flight_is_void_when_the_notice_comes() {
    for (name, change) in CHANGES {
        let clock = ManualClock::new();
        let [a, b] = processes(&clock);
        b.store("old", LIFE, &["users"]);
        a.view.hear();
        let reading = ask(&a);
        change(&b);
        a.view.hear();
        assert_eq!(finish(reading).map(read).as_deref(), Some("old"), "{name}: it was asked before");
        assert_eq!(a.fresh(), None, "{name}: memory has what was changed");
        assert_ne!(a.get().as_deref(), Some("old"), "{name}");
    }
}

/// The same where memory had a copy: the notice takes it, and voids the backfill that began before.
#[test]
fn a_copy_goes_with_the_notice() {
    for (name, change) in CHANGES {
        let clock = ManualClock::new();
        let [a, b] = processes(&clock);
        b.store("old", LIFE, &["users"]);
        a.view.hear();
        assert_eq!(a.get().as_deref(), Some("old"));
        assert_eq!(a.fresh().as_deref(), Some("old"), "it was copied, or nothing is shown here");
        change(&b);
        a.view.hear();
        assert_eq!(a.fresh(), None, "{name}");
        assert_ne!(a.get().as_deref(), Some("old"), "{name}");
    }
}

/// FusionCache #625, BentoCache, Guava: what was loaded is stored though it was invalidated meanwhile. Here the store has
/// taken it, and the word of a later change comes before its answer.
#[test]
fn a_load_in_flight_is_void_when_the_notice_comes() {
    for (name, change) in CHANGES {
        let clock = ManualClock::new();
        let [a, b] = processes(&clock);
        let fence = a.fence();
        let set =
            cache_core::Set { tags: &["users".into()], fence: Some(fence), ..cache_core::Set::new(LIFE) };
        let publishing = a.cache.set(KEY, crate::processes::text("old"), set);
        change(&b);
        a.view.hear();
        assert_eq!(finish(publishing), Stored::Yes, "{name}: it was stored before the change");
        a.cache.release(KEY, fence);
        assert_eq!(a.fresh(), None, "{name}");
        assert_ne!(a.get().as_deref(), Some("old"), "{name}");
    }
}

/// The same where the change comes before the publication, and the word of it after everything.
#[test]
fn a_late_load_reaches_neither_tier() {
    for (name, change) in CHANGES {
        let clock = ManualClock::new();
        let [a, b] = processes(&clock);
        let fence = a.fence();
        change(&b);
        let set =
            cache_core::Set { tags: &["users".into()], fence: Some(fence), ..cache_core::Set::new(LIFE) };
        assert_eq!(finish(a.cache.set(KEY, crate::processes::text("late"), set)), Stored::Fenced, "{name}");
        a.cache.release(KEY, fence);
        assert_eq!(a.fresh(), None, "{name}: no notice came yet");
        assert_ne!(b.get().as_deref(), Some("late"), "{name}");
    }
}

/// A write of this process, and a reader beside it: who asked before the write keeps no copy of what was there.
#[test]
fn a_reader_beside_an_own_change_leaves_no_old_copy() {
    for (name, change) in CHANGES {
        let clock = ManualClock::new();
        let [a] = processes(&clock);
        a.store("old", LIFE, &["users"]);
        let reading = ask(&a);
        change(&a);
        assert_eq!(finish(reading).map(read).as_deref(), Some("old"), "{name}: it was asked before");
        assert_eq!(a.fresh(), None, "{name}");
    }
}

/// The same, asked for and not answered yet.
const CHANGING: [Changing; 6] = [
    ("set", |p| p.cache.set(KEY, crate::processes::text("new"), cache_core::Set::new(LIFE)).map(drop)),
    ("delete", |p| p.cache.delete(KEY).map(drop)),
    ("expire", |p| p.cache.expire(KEY, SECOND).map(drop)),
    ("tag", |p| p.cache.invalidate(Target::Tag("users"), Strength::Remove)),
    ("pattern", |p| p.cache.invalidate(Target::Pattern("u*"), Strength::Remove)),
    ("all", |p| p.cache.invalidate(Target::All, Strength::Remove)),
];

/// Who does not wait for the answer has changed it all the same.
#[test]
fn a_change_whose_reply_is_dropped_takes_the_copy() {
    for (name, change) in CHANGING {
        let clock = ManualClock::new();
        let [a] = processes(&clock);
        a.store("old", LIFE, &["users"]);
        a.get();
        drop(change(&a));
        assert_eq!(a.fresh(), None, "{name}: no notice came yet");
    }
}

/// FusionCache #613: the old value comes back from the store before the change has reached it. Here a whole read fits
/// between the call and the change.
#[test]
fn a_reader_within_an_own_change_leaves_no_old_copy() {
    for (name, change) in CHANGING {
        let clock = ManualClock::new();
        let [a] = processes(&clock);
        a.store("old", LIFE, &["users"]);
        a.view.late.store(true, SeqCst);
        let changing = change(&a);
        assert_eq!(a.get().as_deref(), Some("old"), "{name}: it is not changed yet");
        assert_eq!(a.fresh().as_deref(), Some("old"), "{name}: a copy was made, or nothing is shown here");
        finish(changing);
        assert_eq!(a.fresh(), None, "{name}: no notice came yet");
    }
}

/// A reader who asked before a load was published must not put the older value over it.
#[test]
fn a_backfill_does_not_overwrite_what_was_loaded_meanwhile() {
    let clock = ManualClock::new();
    let [a] = processes(&clock);
    a.set("old");
    let fence = a.fence();
    let reading = ask(&a);
    assert_eq!(a.loaded(fence, "loaded").expect("stored"), Stored::Yes);
    finish(reading);
    assert_eq!(a.fresh().as_deref(), Some("loaded"));
    // And where the reader was first to put its copy there.
    a.set("old");
    let fence = a.fence();
    finish(ask(&a));
    assert_eq!(a.fresh().as_deref(), Some("old"));
    assert_eq!(a.loaded(fence, "loaded").expect("stored"), Stored::Yes);
    assert_ne!(a.fresh().as_deref(), Some("old"));
    assert_eq!(a.get().as_deref(), Some("loaded"));
}

/// cashews: a copy without an end. JetCache: L1 lives by a clock of its own.
#[test]
fn a_copy_does_not_outlive_what_it_is_of() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    b.set("v");
    clock.advance(SECOND * 6);
    assert_eq!(a.get().as_deref(), Some("v"));
    assert_eq!(a.fresh().as_deref(), Some("v"));
    let entry = a.entry().expect("there");
    assert_eq!((entry.age, entry.left.fresh, entry.left.total), (SECOND * 6, SECOND * 4, SECOND * 14));
    clock.advance(SECOND * 3);
    let entry = a.entry().expect("there");
    assert_eq!((entry.age, entry.left.fresh, entry.tier), (SECOND * 9, SECOND, cache_core::Tier::L1));
    clock.advance(SECOND);
    assert_eq!(a.fresh(), None, "its freshness is over in both");
    let entry = a.entry().expect("stale");
    assert_eq!((entry.left.fresh, entry.stale_for), (Duration::ZERO, Duration::ZERO));
    clock.advance(SECOND * 10);
    assert!(a.entry().is_none(), "so is its life");
}

#[test]
fn shortening_its_life_elsewhere_shortens_that_of_the_copy() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    b.store("v", Lifetime::FOREVER, &[]);
    a.get();
    assert!(finish(b.cache.expire(KEY, SECOND)));
    a.view.hear();
    assert_eq!(a.get().as_deref(), Some("v"));
    clock.advance(SECOND);
    assert_eq!((a.fresh(), a.get()), (None, None));
}

/// FusionCache, cashews: messages in another order, or twice, leave an older value, or none of them counts.
#[test]
fn notices_in_any_order_and_more_than_once_leave_nothing_old() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    for round in 0..10 {
        b.store("1", LIFE, &["users"]);
        a.get();
        b.store("2", LIFE, &["users"]);
        b.strike(Target::Tag("users"), Strength::MarkStale);
        let reading = ask(&a);
        let newest = format!("newest {round}");
        b.store(&newest, LIFE, &["users"]);
        a.view.hear_badly();
        finish(reading);
        assert_eq!(a.get().as_deref(), Some(&*newest));
        // The late copy of an early notice costs a copy, and no more.
        b.view.hear_badly();
        assert_eq!(b.get().as_deref(), Some(&*newest));
    }
}

/// A soft strike leaves what is there servable, as stale, on every process.
#[test]
fn what_is_marked_stale_elsewhere_is_not_fresh_here() {
    let targets = [Target::Key(KEY), Target::Tag("users"), Target::Pattern("user:*"), Target::All];
    for (target, there_before) in targets.iter().flat_map(|target| [(*target, false), (*target, true)]) {
        let clock = ManualClock::new();
        let [a, b] = processes(&clock);
        b.store("v", LIFE, &["users"]);
        a.view.hear();
        let mut reading = Some(ask(&a));
        if there_before {
            reading.take().map(finish);
            assert!(a.fresh().is_some());
        }
        b.strike(target, Strength::MarkStale);
        a.view.hear();
        reading.map(finish);
        assert_eq!(a.fresh(), None, "{target:?}");
        let entry = a.entry().expect("stale");
        assert!(entry.left.fresh.is_zero(), "{target:?}");
        // What is loaded anew is fresh for all.
        let fence = a.fence();
        assert_eq!(a.loaded(fence, "new").expect("stored"), Stored::Yes);
        assert_eq!(a.fresh().as_deref(), Some("new"), "{target:?}");
    }
}

/// A load in flight when the soft strike comes is stored stale, and so is its copy.
#[test]
fn a_load_that_was_marked_stale_is_not_fresh_in_memory() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    let fence = a.fence();
    b.strike(Target::Key(KEY), Strength::MarkStale);
    a.view.hear();
    a.loaded(fence, "v").expect("stored, or not");
    assert_eq!(a.fresh(), None);
    assert!(a.entry().is_none_or(|entry| entry.left.fresh.is_zero()));
}

/// The store is asked again where the copy is stale: somebody else may have loaded.
#[test]
fn a_stale_copy_is_not_preferred_to_what_the_store_has() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    b.set("old");
    a.get();
    clock.advance(SECOND * 11);
    b.set("new");
    // The notice is late.
    assert_eq!(a.get().as_deref(), Some("new"));
}

#[test]
fn a_stale_copy_stands_in_for_a_store_that_is_away() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    b.set("v");
    a.get();
    clock.advance(SECOND * 11);
    a.view.away.store(true, SeqCst);
    let entry = a.entry().expect("the copy");
    assert_eq!((entry.left.fresh, entry.stale_for), (Duration::ZERO, SECOND));
    assert_eq!(a.cache.ttl(KEY).wait().expect("the copy's").expect("there").fresh, Duration::ZERO);
    clock.advance(SECOND * 10);
    a.cache.get(KEY, Kind::of::<String>()).wait().expect_err("no copy any more");
}

/// What a load is to publish again as not modified, it reads from the store: the word of an invalidation may be on its
/// way.
#[test]
fn what_is_published_again_was_read_from_the_store() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    b.set("old");
    a.view.hear();
    a.get();
    b.strike(Target::Key(KEY), Strength::Remove);
    assert_eq!(a.get().as_deref(), Some("old"), "no notice came yet");
    let confirmed = a.cache.confirmed(KEY, Kind::of::<String>()).wait().expect("asked");
    assert!(confirmed.is_none());
}

/// Of a load that the store has taken and whose copy memory refuses, the older copy goes.
#[test]
fn an_older_copy_does_not_stay_beside_a_newer_value() {
    let clock = ManualClock::new();
    let [a] = processes(&clock);
    a.set("old");
    let fence = a.fence();
    // Voids the fence in memory, and not in the store.
    a.memory.delete(KEY).wait().expect("deleted");
    finish(ask(&a));
    assert_eq!(a.fresh().as_deref(), Some("old"));
    assert_eq!(a.loaded(fence, "new").expect("stored"), Stored::Yes);
    assert_ne!(a.fresh().as_deref(), Some("old"));
    assert_eq!(a.get().as_deref(), Some("new"));
}

/// Fences are given back in both tiers.
#[test]
fn a_fence_that_is_given_back_is_void() {
    let clock = ManualClock::new();
    let [a] = processes(&clock);
    let fence = a.fence();
    a.cache.release(KEY, fence);
    assert_eq!(finish(a.publish(fence, "late")), Stored::Fenced);
    assert_eq!(a.get(), None);
}
