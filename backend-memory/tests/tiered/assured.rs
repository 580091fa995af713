//! A store that says for how long it may be believed: what a process that was stopped has in memory, and does not serve.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use backend_memory::Memory;
use cache_core::{Cache, Lifetime, ManualClock, Tiered, Token};

use crate::hub::Hub;
use crate::processes::{KEY, Process, SECOND, processes, text};

const MS: Duration = Duration::from_millis(1);
const LONG: Lifetime = Lifetime { fresh: Duration::from_secs(3600), total: Duration::from_secs(7200) };

/// One process with a copy that is believed for ten seconds; the other one changes the key, of which nothing is heard.
fn assured(clock: &ManualClock) -> [Process; 2] {
    let [a, b] = processes(clock);
    a.view.assure(SECOND * 10);
    a.view.restore();
    b.store("old", LONG, &[]);
    a.get();
    b.store("new", LONG, &[]);
    [a, b]
}

#[test]
fn what_the_store_does_not_vouch_for_is_not_served() {
    let clock = ManualClock::new();
    let [a, b] = assured(&clock);
    clock.advance(SECOND * 9);
    a.view.assure(SECOND * 10);
    clock.advance(SECOND * 10 - MS);
    assert_eq!(a.fresh().as_deref(), Some("old"), "it is vouched for");
    clock.advance(MS);
    assert_eq!(a.fresh(), None, "not any more");
    for _ in 0..2 {
        assert_eq!(a.get().as_deref(), Some("new"));
        assert_eq!(a.fresh(), None, "nor is what comes meanwhile");
    }
    let troubles = a.cache.troubles().wait().expect("told");
    assert!(troubles.concat().contains("nothing is kept in memory"), "{troubles:?}");
    // What was told meanwhile has come; so it goes on without being emptied.
    a.view.hear();
    a.view.assure(SECOND * 10);
    assert_eq!(a.get().as_deref(), Some("new"));
    assert_eq!(a.fresh().as_deref(), Some("new"));
    assert_eq!(a.cache.troubles().wait().expect("told"), Vec::<String>::new());
    b.store("newer", LONG, &[]);
    a.view.hear();
    assert_eq!(a.get().as_deref(), Some("newer"));
}

/// The channel's end counts if it comes first, and else what was vouched for.
#[test]
fn who_is_cut_off_believes_no_longer_than_the_store_vouches_for() {
    for (assure, until) in [(SECOND * 10, SECOND * 5), (SECOND * 3, SECOND * 3)] {
        let clock = ManualClock::new();
        let [a, _b] = assured(&clock);
        a.view.assure(assure);
        a.view.cut_off(Duration::ZERO);
        clock.advance(until - MS);
        assert_eq!(a.fresh().as_deref(), Some("old"), "{assure:?}");
        clock.advance(MS);
        assert_eq!(a.fresh(), None, "{assure:?}");
        // To be vouched for is not to have the channel back.
        a.view.assure(SECOND * 60);
        assert_eq!(a.get().as_deref(), Some("new"));
        clock.advance(SECOND * 5);
        assert_eq!(a.fresh(), None, "cut off, it is believed for five seconds");
        a.view.restore();
        assert_eq!(a.get().as_deref(), Some("new"));
        clock.advance(SECOND * 50);
        assert_eq!(a.fresh().as_deref(), Some("new"), "{assure:?}");
    }
}

#[test]
fn who_was_stopped_until_the_channel_broke_keeps_for_a_while_what_comes() {
    let clock = ManualClock::new();
    let [a, _b] = assured(&clock);
    clock.advance(SECOND * 11);
    assert_eq!(a.fresh(), None);
    a.view.cut_off(SECOND * 11);
    assert_eq!(a.get().as_deref(), Some("new"));
    clock.advance(SECOND * 5 - MS);
    assert_eq!(a.fresh().as_deref(), Some("new"));
    clock.advance(MS);
    assert_eq!(a.fresh(), None);
}

/// The store has to know how long it has to wait for who is not there.
#[test]
fn the_store_knows_for_how_long_it_is_believed() {
    let clock = ManualClock::new();
    let hub = Hub::new(&clock);
    let a = Process::cut_off_for(&hub, &clock, Duration::MAX, SECOND * 7);
    assert_eq!(a.view.belief(), SECOND * 7);
    let memory = Memory::builder().capacity(1_000).clock(clock.clock()).build();
    let front = Tiered::builder(Arc::new(memory), a.cache.clone()).clock(clock.clock());
    let front = front.cut_off_ttl(SECOND * 9).build();
    assert_eq!(a.view.belief(), SECOND * 9, "of the one in front of it");
    // Who stands in front hears it, too.
    a.view.assure(SECOND * 20);
    a.view.restore();
    front.set(KEY, text("v"), cache_core::Set::new(LONG)).wait().expect("stored");
    front.get(KEY, cache_core::Kind::of::<String>()).wait().expect("read");
    assert!(front.fresh(KEY).is_some());
    clock.advance(SECOND * 20);
    assert!(front.fresh(KEY).is_none());
}

/// Of a store that tells nothing, nobody can say more than how long copies live.
#[test]
fn where_nobody_is_told_a_change_is_acknowledged_when_no_copy_is_left() {
    let clock = ManualClock::new();
    let hub = Hub::new(&clock);
    let [a, b] = [(); 2].map(|()| {
        let view = hub.view();
        view.mute.store(true, SeqCst);
        Process::over(view, &clock, Duration::MAX, SECOND * 5)
    });
    b.store("old", LONG, &[]);
    a.get();
    b.store("new", LONG, &[]);
    assert_eq!(a.fresh().as_deref(), Some("old"));
    let mut cx = Context::from_waker(Waker::noop());
    let mut reply = std::pin::pin!(b.cache.acknowledged());
    for (after, over) in [(Duration::ZERO, false), (SECOND * 5 - MS, false), (MS, true)] {
        clock.advance(after);
        let polled = reply.as_mut().poll(&mut cx);
        assert_eq!(matches!(polled, Poll::Ready(Ok(()))), over);
    }
    assert_eq!(a.fresh(), None);
    // A token empties memory.
    a.get();
    b.store("newer", LONG, &[]);
    assert_eq!(a.get().as_deref(), Some("new"));
    a.cache.read_after(&Token::default()).wait().expect("nothing to wait for");
    assert_eq!(a.get().as_deref(), Some("newer"));
}

/// Who begins is not waited for before the store knows him.
#[test]
fn until_the_store_knows_of_a_process_it_keeps_nothing() {
    let clock = ManualClock::new();
    let hub = Hub::new(&clock);
    let a = Process::cut_off_for(&hub, &clock, Duration::MAX, SECOND * 5);
    a.view.assure(Duration::ZERO);
    a.store("v", LONG, &[]);
    assert!(a.get().is_some() && a.fresh().is_none(), "it is not known");
    // The store is away: what it loads by itself it keeps for a while.
    a.view.cut_off(Duration::ZERO);
    assert!(a.get().is_some() && a.fresh().is_some());
    a.view.assure(Duration::ZERO);
    assert!(a.fresh().is_none());
    assert!(a.get().is_some() && a.fresh().is_none(), "it is there again, and not known");
    // Known, and told nothing.
    a.view.assure(SECOND * 60);
    assert!(a.get().is_some() && a.fresh().is_some());
    clock.advance(SECOND * 5);
    assert!(a.fresh().is_none());
    a.view.restore();
    assert!(a.get().is_some() && a.fresh().is_some());
    clock.advance(SECOND * 50);
    assert!(a.fresh().is_some());
}
