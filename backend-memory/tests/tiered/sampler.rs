//! The watch over memory: what is compared, what counts as a disagreement, and what does not.
//!
//! Comparisons run on threads of their own, and time is turned by hand: so each test goes on until it has seen what it is
//! about, and says what may not be seen before.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::sleep;
use std::time::{Duration, Instant};

use backend_memory::Memory;
use cache_core::{Cache, Coherence, Lifetime, ManualClock, Set, Strength, Target, Tiered, Tiers, Value};

use crate::hub::Hub;
use crate::processes::{KEY, Process, SECOND, origin, text};

const MS: Duration = Duration::from_millis(1);
const LONG: Lifetime = Lifetime { fresh: Duration::from_secs(36_000), total: Duration::from_secs(72_000) };
const BOUND: Duration = Duration::from_secs(7);

/// Two processes, of which each compares one hit a second.
fn watched(clock: &ManualClock) -> [Process; 2] {
    let hub = Hub::new(clock);
    [(); 2].map(|()| {
        let process = Process::built(hub.view(), clock, |builder| builder.sampler(SECOND));
        process.view.restore();
        process
    })
}

fn known(process: &Process) -> Coherence {
    process.cache.usage().coherence
}

/// Turns the clock, and does `round`, until `is_over`; how long that took by the clock.
fn turn(clock: &ManualClock, mut round: impl FnMut(), is_over: impl Fn() -> bool) -> Duration {
    let (began, start) = (Instant::now(), clock.clock().now());
    while !is_over() {
        assert!(began.elapsed() < Duration::from_secs(60), "it never came");
        round();
        clock.advance(MS * 100);
        sleep(MS);
    }
    clock.clock().now() - start
}

/// The same for so long by the clock.
fn turn_for(clock: &ManualClock, time: Duration, round: impl FnMut()) {
    let end = clock.clock().now() + time;
    turn(clock, round, || clock.clock().now() >= end);
}

fn troubles(process: &Process) -> String {
    process.cache.troubles().wait().expect("told").join("\n")
}

/// A reader of `a` holds what `b` has changed a minute later, and the word of it is lost.
fn missed(clock: &ManualClock, change: impl FnOnce(&Process)) -> [Process; 2] {
    let [a, b] = watched(clock);
    b.store("old", LONG, &["tag"]);
    a.get();
    clock.advance(SECOND * 60);
    change(&b);
    a.view.lose();
    [a, b]
}

#[test]
fn what_is_served_beyond_the_bound_is_counted_told_and_dropped() {
    type Change = fn(&Process);
    let changes: [Change; 4] = [
        |b| b.store("new", LONG, &[]),
        |b| b.strike(Target::Key(KEY), Strength::Remove),
        |b| b.strike(Target::Tag("tag"), Strength::MarkStale),
        |b| {
            b.cache.set(KEY, Value::new(Arc::new(7_u16)), Set::new(LONG)).wait().expect("set");
        },
    ];
    for change in changes {
        let clock = ManualClock::new();
        let [a, _b] = missed(&clock, change);
        let read = || drop(a.fresh());
        let took = turn(&clock, read, || known(&a).compared == 1);
        assert!(took >= BOUND, "within the bound nothing counts: {took:?}");
        assert_eq!(known(&a).disagreed, 1);
        assert_eq!(a.fresh(), None, "it is dropped");
        let told = troubles(&a);
        assert!(told.contains("1 of 1 compared entries"), "{told}");
        clock.advance(SECOND * 3601);
        assert_eq!(troubles(&a), "", "it is told for an hour");
        assert_eq!(known(&a).disagreed, 1, "and counted for ever");
    }
}

/// Each hit may be the one that is compared, and each word may come late.
#[test]
fn while_word_comes_nothing_disagrees() {
    let clock = ManualClock::new();
    let [a, b] = watched(&clock);
    let mut round = 0_u32;
    let churn = || {
        round += 1;
        if round.is_multiple_of(3) {
            b.store(&format!("value {round}"), LONG, &[]);
        }
        a.get();
        a.fresh();
        if round.is_multiple_of(20) {
            a.view.hear();
            b.view.hear();
        }
    };
    turn(&clock, churn, || known(&a).compared >= 10);
    assert_eq!(known(&a).disagreed, 0);
    assert_eq!(troubles(&a), "");
}

/// It was written anew, as it was: who is served it is not served anything wrong.
#[test]
fn what_was_set_anew_to_what_it_was_does_not_disagree() {
    let clock = ManualClock::new();
    let [a, _b] = missed(&clock, |b| b.store("old", LONG, &[]));
    turn(&clock, || drop(a.fresh()), || known(&a).compared == 3);
    assert_eq!(known(&a).disagreed, 0);
}

#[test]
fn what_is_here_alone_is_not_compared() {
    let clock = ManualClock::new();
    let [a, b] = watched(&clock);
    let here = Set { origin: origin(Tiers::L1), ..Set::new(LONG) };
    a.cache.set(KEY, text("here"), here).wait().expect("kept");
    turn_for(&clock, BOUND * 2, || assert_eq!(a.fresh().as_deref(), Some("here")));
    assert_eq!(known(&a).compared, 0);
    b.store("for all", LONG, &[]);
    a.view.hear();
    turn(&clock, || drop(a.get()), || known(&a).compared == 1);
    assert_eq!(known(&a).disagreed, 0);
}

/// What is loaded while the store is away is in memory alone, for as long as it may be.
#[test]
fn what_is_believed_while_cut_off_does_not_disagree() {
    let clock = ManualClock::new();
    let [a, b] = missed(&clock, |b| b.store("new", LONG, &[]));
    // The word of the break comes late, and is in time.
    let mut rounds = 0;
    let read = || {
        rounds += 1;
        if rounds == 12 {
            a.view.cut_off(SECOND);
        }
        a.fresh();
    };
    turn_for(&clock, BOUND * 2, read);
    assert_eq!((known(&a).gaps, known(&a).disagreed), (1, 0));
    drop(b);
}

/// What the store told before its answer is handled by then: memory serves the old copy no more.
#[test]
fn what_word_comes_of_before_the_last_answer_does_not_disagree() {
    let clock = ManualClock::new();
    let [a, b] = watched(&clock);
    // At first the word is late; it comes with the second answer, when the bound is over.
    a.view.punctual_from.store(1, SeqCst);
    b.store("old", LONG, &[]);
    a.view.hear();
    a.get();
    clock.advance(SECOND * 60);
    b.store("new", LONG, &[]);
    turn(&clock, || drop(a.fresh()), || known(&a).compared == 1);
    assert_eq!((a.view.confirmed.load(SeqCst), known(&a).disagreed), (2, 0));
    assert_eq!(a.get().as_deref(), Some("new"));
}

#[test]
fn nothing_is_compared_once_the_cache_is_closed() {
    let clock = ManualClock::new();
    let [a, b] = watched(&clock);
    b.store("for all", LONG, &[]);
    turn(&clock, || drop(a.get()), || known(&a).compared == 1);
    a.cache.close(Duration::ZERO).wait().expect("closed");
    let before = known(&a).compared;
    turn_for(&clock, SECOND * 60, || drop(a.get()));
    assert!(known(&a).compared <= before + 1, "one may have been under way");
}

#[test]
fn gaps_are_counted_where_copies_are_given_up() {
    let clock = ManualClock::new();
    let [a, _b] = watched(&clock);
    assert_eq!(known(&a).gaps, 0, "that it was made is none");
    a.view.cut_off(SECOND);
    a.view.cut_off(SECOND);
    assert_eq!(known(&a).gaps, 1, "one break, told twice");
    a.view.restore();
    a.view.assure(SECOND);
    assert_eq!(known(&a).gaps, 1);
    clock.advance(SECOND);
    a.get();
    assert_eq!(known(&a).gaps, 2, "it was not said in time that it can be relied on");
    a.view.assure(SECOND);
    a.view.restore();
    assert_eq!(known(&a).gaps, 3, "made anew, without word that it was lost");
}

/// Of one break every tier behind hears; of some, a tier in front does not.
#[test]
fn gaps_of_three_tiers_are_those_of_the_one_that_had_most() {
    let clock = ManualClock::new();
    let [a, _b] = watched(&clock);
    a.view.cut_off(SECOND);
    a.view.restore();
    let memory = Memory::builder().capacity(100).clock(clock.clock()).build();
    let three = Tiered::builder(Arc::new(memory), a.cache.clone()).clock(clock.clock()).build();
    let gaps = || three.usage().coherence.gaps;
    assert_eq!(gaps(), 1, "before there was one in front");
    a.view.cut_off(SECOND);
    assert_eq!(gaps(), 2, "both have heard of it");
}
