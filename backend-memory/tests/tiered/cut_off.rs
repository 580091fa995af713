//! While others' changes are not told: how long copies are believed, and what happens when the channel stands again.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use backend_memory::Memory;
use cache_core::{
    Cache, Kind, Lifetime, Listener, ManualClock, Notices, Set, Stored, Strength, Target, Tiered,
};

use crate::hub::Hub;
use crate::processes::{KEY, LIFE, Process, SECOND, finish, processes, read, text};

const MS: Duration = Duration::from_millis(1);
const LONG: Lifetime = Lifetime { fresh: Duration::from_secs(3600), total: Duration::from_secs(7200) };

/// One process that has a copy, whose channel then breaks; the other one changes the key, and the word is lost.
fn broken(clock: &ManualClock, since: Duration) -> [Process; 2] {
    let [a, b] = processes(clock);
    b.store("old", LONG, &[]);
    a.get();
    clock.advance(SECOND * 60);
    assert_eq!(a.fresh().as_deref(), Some("old"));
    b.store("new", LONG, &[]);
    a.view.cut_off(since);
    [a, b]
}

#[test]
fn what_was_there_is_believed_for_a_while_and_not_longer() {
    for since in [Duration::ZERO, SECOND * 2] {
        let clock = ManualClock::new();
        let [a, _b] = broken(&clock, since);
        clock.advance(SECOND * 5 - since - MS);
        assert_eq!(a.fresh().as_deref(), Some("old"), "within the bound");
        assert_eq!(a.get().as_deref(), Some("old"), "within the bound");
        clock.advance(MS);
        assert_eq!(a.fresh(), None, "{since:?}");
        assert_eq!(a.get().as_deref(), Some("new"), "{since:?}");
    }
    let clock = ManualClock::new();
    let [a, _b] = broken(&clock, SECOND * 7);
    assert_eq!(a.fresh(), None, "it was noticed too late for any trust");
    assert_eq!(a.get().as_deref(), Some("new"));
}

/// Each copy that is made while cut off has its own end; also one that was made before the rest was given up.
#[test]
fn what_comes_meanwhile_is_believed_for_that_long_too() {
    let clock = ManualClock::new();
    let [a, b] = broken(&clock, Duration::ZERO);
    clock.advance(SECOND * 5);
    for round in 0..3 {
        assert_ne!(a.get().as_deref(), Some("old"));
        let copied = a.fresh();
        assert!(copied.is_some(), "a copy is made");
        b.store(&format!("newer {round}"), LONG, &[]);
        a.view.lose();
        clock.advance(SECOND * 5 - MS);
        assert_eq!(a.fresh(), copied, "within the bound");
        clock.advance(MS);
        assert_eq!(a.fresh(), None, "beyond it");
        assert_eq!(a.get().as_deref(), Some(&*format!("newer {round}")));
        let entry = a.entry().expect("a copy");
        assert!(entry.left.fresh > SECOND * 1000, "what is left of it is told as it is: {:?}", entry.left);
    }
}

#[test]
fn with_no_trust_the_store_is_asked_each_time() {
    let clock = ManualClock::new();
    let hub = Hub::new(&clock);
    let a = Process::cut_off_for(&hub, &clock, Duration::MAX, Duration::ZERO);
    a.view.restore();
    a.store("old", LONG, &[]);
    a.get();
    assert!(a.fresh().is_some());
    a.view.cut_off(Duration::ZERO);
    assert_eq!(a.fresh(), None, "at once");
    assert_eq!(a.get().as_deref(), Some("old"));
    assert_eq!(a.fresh(), None, "no copy is made");
    a.view.restore();
    a.get();
    assert!(a.fresh().is_some());
}

/// cashews does this, the others do not: what was missed while away is made good before memory is trusted again.
#[test]
fn when_the_channel_stands_again_memory_is_empty() {
    let clock = ManualClock::new();
    let [a, _b] = broken(&clock, Duration::ZERO);
    assert_eq!(a.fresh().as_deref(), Some("old"));
    a.view.restore();
    assert_eq!(a.fresh(), None);
    assert_eq!(a.get().as_deref(), Some("new"));
    clock.advance(SECOND * 600);
    assert_eq!(a.fresh().as_deref(), Some("new"), "trusted again");
}

/// A read or a load that began before the channel stood again knows nothing of what was missed.
#[test]
fn what_began_before_is_void_when_the_channel_stands_again() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    b.store("old", LONG, &[]);
    a.view.cut_off(Duration::ZERO);
    let reading = a.cache.get(KEY, Kind::of::<String>());
    b.store("new", LONG, &[]);
    a.view.lose();
    a.view.restore();
    assert_eq!(finish(reading).map(read).as_deref(), Some("old"));
    assert_eq!(a.fresh(), None);

    let fence = a.fence();
    let publishing = a.publish(fence, "loaded");
    a.view.cut_off(Duration::ZERO);
    b.store("newer", LONG, &[]);
    a.view.lose();
    a.view.restore();
    assert_eq!(finish(publishing), Stored::Yes);
    a.cache.release(KEY, fence);
    assert_eq!(a.fresh(), None);
    assert_eq!(a.get().as_deref(), Some("newer"));
}

/// A read that began when all was well, and ends when the trust in what was there has ended.
#[test]
fn what_began_before_is_void_when_the_trust_ends() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    b.store("old", LONG, &[]);
    let reading = a.cache.get(KEY, Kind::of::<String>());
    a.view.cut_off(Duration::ZERO);
    b.store("new", LONG, &[]);
    a.view.lose();
    clock.advance(SECOND * 5);
    // Somebody else's read ends the trust.
    assert!(a.cache.get("other", Kind::of::<String>()).wait().expect("asked").is_none());
    finish(reading);
    assert_eq!(a.fresh(), None);
    assert_eq!(a.get().as_deref(), Some("new"));
}

#[test]
fn until_the_channel_first_stands_copies_are_short_lived() {
    let clock = ManualClock::new();
    let hub = Hub::new(&clock);
    let a = Process::cut_off_for(&hub, &clock, Duration::MAX, SECOND * 5);
    a.store("v", LONG, &[]);
    a.get();
    assert!(a.fresh().is_some());
    clock.advance(SECOND * 5);
    assert_eq!(a.fresh(), None);
    a.view.restore();
    a.get();
    clock.advance(SECOND * 500);
    assert!(a.fresh().is_some());
}

/// A second word of the same does not prolong the trust.
#[test]
fn being_cut_off_twice_is_being_cut_off() {
    let clock = ManualClock::new();
    let [a, _b] = broken(&clock, Duration::ZERO);
    clock.advance(SECOND * 4);
    a.view.cut_off(Duration::ZERO);
    clock.advance(SECOND);
    assert_eq!(a.fresh(), None);
}

#[test]
fn a_store_that_never_tells_bounds_every_copy() {
    let clock = ManualClock::new();
    let view = Hub::new(&clock).view();
    view.mute.store(true, SeqCst);
    let a = Process::over(view, &clock, Duration::MAX, SECOND * 5);
    a.store("v", LONG, &[]);
    for _ in 0..3 {
        a.get();
        clock.advance(SECOND * 5 - MS);
        assert!(a.fresh().is_some());
        clock.advance(MS);
        assert_eq!(a.fresh(), None);
    }
    let troubles = finish(a.cache.troubles());
    assert!(troubles[0].contains("does not tell") && troubles[0].contains("5s"), "{troubles:?}");
}

#[test]
fn a_store_of_this_process_needs_no_channel() {
    let clock = ManualClock::new();
    let memory = || Arc::new(Memory::builder().capacity(100).clock(clock.clock()).build());
    let cache = Tiered::builder(memory(), memory()).clock(clock.clock()).build();
    finish(cache.set(KEY, text("v"), Set::new(LONG)));
    finish(cache.get(KEY, Kind::of::<String>()));
    clock.advance(SECOND * 600);
    assert!(cache.fresh(KEY).is_some());
    assert!(finish(cache.troubles()).is_empty());
}

/// Without the store, loads are cached in memory, for no longer than copies live while cut off.
#[test]
fn what_is_loaded_while_the_store_is_away_is_kept_for_a_while() {
    for away_when_it_began in [true, false] {
        let clock = ManualClock::new();
        let [a] = processes(&clock);
        a.view.away.store(away_when_it_began, SeqCst);
        let fence = a.fence();
        a.view.away.store(true, SeqCst);
        a.loaded(fence, "v").expect_err("the store does not have it");
        assert_eq!(a.fresh().as_deref(), Some("v"));
        clock.advance(SECOND * 5 - MS);
        assert_eq!(a.get().as_deref(), Some("v"));
        clock.advance(MS);
        a.cache.get(KEY, Kind::of::<String>()).wait().expect_err("the store is away");
        // An invalidation that the store does not get counts here all the same.
        let fence = a.fence();
        a.cache.invalidate(Target::Key(KEY), Strength::Remove).wait().expect_err("the store is away");
        a.loaded(fence, "late").expect_err("the store does not have it");
        assert_eq!(a.fresh(), None);
        let fence = a.fence();
        a.loaded(fence, "again").expect_err("the store does not have it");
        a.cache.invalidate(Target::Key(KEY), Strength::Remove).wait().expect_err("the store is away");
        assert_eq!(a.fresh(), None);
    }
}

#[test]
fn troubles_tell_since_when_and_for_how_long() {
    let clock = ManualClock::new();
    let [a, _b] = broken(&clock, SECOND);
    clock.advance(SECOND + Duration::from_millis(37));
    let troubles = finish(a.cache.troubles());
    assert!(troubles[0].contains("cut off for 2s") && troubles[0].contains("for 2.9s more"), "{troubles:?}");
    a.view.restore();
    assert!(finish(a.cache.troubles()).is_empty());
    // A channel that is being made is none, for a while.
    let opening = Process::cut_off_for(&Hub::new(&clock), &clock, Duration::MAX, SECOND * 5);
    assert!(finish(opening.cache.troubles()).is_empty());
    clock.advance(SECOND * 3);
    let troubles = finish(opening.cache.troubles());
    assert!(troubles[0].contains("cut off for 3s"), "{troubles:?}");
}

/// JetCache #580: memory is refreshed from a copy in between that is stale itself. Here the tier in between has dropped it
/// when whoever stands in front hears of it.
#[test]
fn of_three_tiers_the_middle_one_hears_first() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    let front = || Arc::new(Memory::builder().capacity(100).clock(clock.clock()).build());
    let three = Tiered::builder(front(), a.cache.clone()).clock(clock.clock()).build();
    let get = || finish(three.get(KEY, Kind::of::<String>())).map(read);
    b.store("old", LONG, &[]);
    a.view.hear();
    assert_eq!(get().as_deref(), Some("old"));
    clock.advance(SECOND * 60);
    assert!(three.fresh(KEY).is_some(), "its channel stands: it came when it already did");
    b.store("new", LONG, &[]);
    a.view.hear();
    assert!(three.fresh(KEY).is_none());
    assert_eq!(get().as_deref(), Some("new"));
    // Cut off and restored, both.
    b.store("newer", LONG, &[]);
    a.view.cut_off(SECOND * 5);
    assert!(three.fresh(KEY).is_none());
    assert_eq!(get().as_deref(), Some("newer"));
    a.view.restore();
    assert!(three.fresh(KEY).is_none());
    get();
    clock.advance(SECOND * 60);
    assert!(three.fresh(KEY).is_some());
}

/// It may be no more than a load elsewhere: copies of what was there are dropped, also by whoever stands in front.
#[test]
fn of_three_tiers_each_hears_what_may_be_a_load() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    let front = || Arc::new(Memory::builder().capacity(100).clock(clock.clock()).build());
    let three = Tiered::builder(front(), a.cache.clone()).clock(clock.clock()).build();
    b.store("old", LONG, &[]);
    a.view.hear();
    finish(three.get(KEY, Kind::of::<String>()));
    b.store("new", LONG, &[]);
    a.view.lose();
    assert!(a.fresh().is_some() && three.fresh(KEY).is_some());
    assert!(!a.view.replace(KEY), "nobody loads it here");
    assert!(three.fresh(KEY).is_none());
    assert_eq!(finish(three.get(KEY, Kind::of::<String>())).map(read).as_deref(), Some("new"));
    // The store is to say whether that is void.
    let loads: Arc<dyn Listener> = Arc::new(Loads);
    three.listen(Arc::downgrade(&loads));
    assert!(a.view.replace(KEY), "somebody in front of all of them does");
}

/// Loads everything.
struct Loads;

impl Listener for Loads {
    fn changed(&self, _: Target<'_>, _: Strength) {}
    fn replaced(&self, _: &str) -> bool {
        true
    }
    fn cut_off(&self, _: Duration) {}
    fn restored(&self) {}
}

/// What this tier answers when whoever stands in front hears of a change.
struct Asks(Arc<Tiered>, std::sync::Mutex<Vec<bool>>);

impl Listener for Asks {
    fn changed(&self, _: Target<'_>, _: Strength) {
        self.1.lock().expect("whole").push(self.0.fresh(KEY).is_some());
    }
    fn cut_off(&self, _: Duration) {}
    fn restored(&self) {
        self.1.lock().expect("whole").push(self.0.fresh(KEY).is_some());
    }
}

/// A tier in front would copy it, under a fence that no later notice voids.
#[test]
fn who_hears_of_a_change_does_not_find_the_old_copy_here() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    let asks = Arc::new(Asks(a.cache.clone(), Default::default()));
    let listener: Arc<dyn Listener> = asks.clone();
    assert_eq!(a.cache.listen(Arc::downgrade(&listener)), Notices::Given);
    let told = || std::mem::take(&mut *asks.1.lock().expect("whole"));
    assert_eq!(told(), [false], "the channel stands");
    for change in [
        (|_, b| b.store("new", LIFE, &[])) as fn(&Process, &Process),
        |_, b| b.strike(Target::Key(KEY), Strength::MarkStale),
        |a, _| a.view.cut_off(Duration::ZERO),
    ] {
        b.set("old");
        a.view.hear();
        told();
        a.get();
        assert!(a.fresh().is_some());
        change(&a, &b);
        a.view.hear();
        a.view.restore();
        assert!(!told().contains(&true));
    }
}

/// A reader of the front asks the middle, whose own reader asked the store before the change.
#[test]
fn of_three_tiers_a_read_through_all_is_void_too() {
    let clock = ManualClock::new();
    let [a, b] = processes(&clock);
    let front = Arc::new(Memory::builder().capacity(100).clock(clock.clock()).build());
    let three = Tiered::builder(front, a.cache.clone()).clock(clock.clock()).build();
    b.store("old", LIFE, &[]);
    a.view.hear();
    let reading = three.get(KEY, Kind::of::<String>());
    b.store("new", LIFE, &[]);
    a.view.hear();
    finish(reading);
    assert!(three.fresh(KEY).is_none() && a.fresh().is_none());
}
