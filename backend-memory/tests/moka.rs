//! What is moka's own and could go wrong: eviction in the middle of anybody's operation, memory given back late, and
//! our removals beside its.
#![cfg(feature = "moka")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use backend_memory::Moka;
use cache_core::{Cache, Kind, Lifetime, Local, ManualClock, Set, Stored, Strength, Target, Value};

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);
/// moka's log of writes that it has not looked at yet.
const WRITE_LOG: usize = 384;

fn moka(capacity: usize) -> (Moka, ManualClock) {
    let clock = ManualClock::new();
    (Moka::builder().capacity(capacity).clock(clock.clock()).build(), clock)
}

fn set(moka: &Moka, key: &str, value: Value, fresh: Duration, tags: &[Box<str>]) {
    let set = Set { tags, ..Set::new(Lifetime { fresh, total: fresh }) };
    assert_eq!(moka.set(key, value, set).wait().expect("set"), Stored::Yes);
}

fn number(number: u64) -> Value {
    Value::new(Arc::new(number))
}

/// Counts how many of it live, and how many did at most.
struct Counted(Arc<(AtomicUsize, AtomicUsize)>);

impl Counted {
    fn value(counts: &Arc<(AtomicUsize, AtomicUsize)>) -> Value {
        let live = counts.0.fetch_add(1, Ordering::SeqCst) + 1;
        counts.1.fetch_max(live, Ordering::SeqCst);
        Value::new(Arc::new(Local(Self(counts.clone()))))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn g6_a_full_store_stays_within_its_capacity_and_mokas_log() {
    const THREADS: usize = 4;
    for capacity in [1, 10, 1000] {
        let (moka, _clock) = moka(capacity);
        let counts = Arc::default();
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (moka, counts) = (&moka, &counts);
                scope.spawn(move || {
                    for i in 0..5_000 {
                        set(moka, &format!("{thread}:{i}"), Counted::value(counts), HOUR, &[]);
                    }
                });
            }
        });
        let entries = moka.usage().entries as usize;
        assert!(entries > 0 && entries <= capacity, "{entries} of {capacity}");
        assert_eq!(counts.0.load(Ordering::SeqCst), entries, "what gave way has been dropped");
        // The log may be full, and as many be on their way out; each thread has one value in hand and one under way.
        let most = counts.1.load(Ordering::SeqCst);
        assert!(most <= capacity + 2 * (WRITE_LOG + THREADS), "{most} values at once, of {capacity}");
        assert_eq!(moka.usage().evictions as usize, THREADS * 5_000 - entries);
    }
}

/// No operation follows on the one that ends the values, and no reader comes.
#[test]
fn what_is_over_is_dropped_within_a_second_though_nobody_reads() {
    type End = (&'static str, fn(&Moka));
    let ends: [End; 5] = [
        ("expired", |_| {}),
        ("tag", |moka| moka.invalidate(Target::Tag("t"), Strength::Remove).wait().expect("ok")),
        ("pattern", |moka| moka.invalidate(Target::Pattern("k:*"), Strength::Remove).wait().expect("ok")),
        ("deleted", |moka| (0..2_000).for_each(|i| drop(moka.delete(&format!("k:{i}"))))),
        ("clear", |moka| moka.invalidate(Target::All, Strength::Remove).wait().expect("ok")),
    ];
    for (name, end) in ends {
        let (moka, clock) = moka(10_000);
        let counts = Arc::default();
        for i in 0..2_000 {
            let fresh = if name == "expired" { SECOND } else { HOUR };
            set(&moka, &format!("k:{i}"), Counted::value(&counts), fresh, &["t".into()]);
        }
        set(&moka, "other", Counted::value(&counts), HOUR, &[]);
        end(&moka);
        clock.advance(SECOND * 2);
        let left = usize::from(name != "clear");
        assert_eq!(counts.0.load(Ordering::SeqCst), left, "{name}");
        let usage = moka.usage();
        assert_eq!(usage.entries as usize, left, "{name}");
        assert_eq!(usage.expirations, if name == "expired" { 2_000 } else { 0 }, "{name}");
        assert_eq!(usage.evictions, 0, "{name}");
    }
}

/// The first sweep finds one of them over, and must remember when the other one will be.
#[test]
fn what_outlives_a_sweep_is_swept_in_its_turn() {
    let (moka, clock) = moka(1000);
    let counts = Arc::default();
    set(&moka, "short", Counted::value(&counts), SECOND, &[]);
    set(&moka, "long", Counted::value(&counts), SECOND * 5, &[]);
    clock.advance(SECOND * 2);
    assert_eq!(counts.0.load(Ordering::SeqCst), 1);
    clock.advance(SECOND * 4);
    assert_eq!(counts.0.load(Ordering::SeqCst), 0);
}

#[test]
fn a_drop_may_use_the_store_also_when_moka_evicts() {
    struct Nosy(Moka, usize);
    impl Drop for Nosy {
        fn drop(&mut self) {
            // Keys of every stripe, also of the one whose operation evicts.
            set(&self.0, &format!("other:{}", self.1 % 200), number(1), HOUR, &[]);
            self.0.delete(&format!("nosy:{}", self.1 / 2)).wait().expect("deleted");
        }
    }
    let (sender, done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (moka, clock) = moka(300);
        for i in 0..5_000 {
            let nosy = Value::new(Arc::new(Local(Nosy(moka.clone(), i))));
            set(&moka, &format!("nosy:{i}"), nosy, HOUR, &[]);
        }
        moka.invalidate(Target::Pattern("nosy:*"), Strength::Remove).wait().expect("ok");
        clock.advance(SECOND);
        sender.send(moka.usage().entries).expect("the test waits");
    });
    let entries = done.recv_timeout(Duration::from_secs(60)).expect("nobody waits for a lock of its own");
    assert!((1..=200).contains(&entries), "{entries}");
}

#[test]
fn a_drop_that_panics_in_the_sweep_leaves_nothing_behind() {
    struct Rude;
    impl Drop for Rude {
        fn drop(&mut self) {
            panic!("as the test wants");
        }
    }
    let (moka, clock) = moka(1000);
    for i in 0..100 {
        set(&moka, &format!("k:{i}"), number(i), SECOND, &[]);
    }
    set(&moka, "rude", Value::new(Arc::new(Local(Rude))), SECOND, &[]);
    let turn = clock.clone();
    assert!(std::thread::spawn(move || turn.advance(SECOND * 2)).join().is_err());
    assert_eq!(moka.usage().entries, 0);
    set(&moka, "k", number(1), SECOND, &[]);
    clock.advance(SECOND * 2);
    assert_eq!(moka.usage().entries, 0, "it is still swept");
}

/// The sweep finds an entry over, and somebody stores the key anew before the sweep takes it out of the map.
#[test]
fn a_sweep_does_not_take_what_was_stored_meanwhile() {
    const WRITERS: u64 = 4;
    let (moka, clock) = moka(1000);
    let at_work = AtomicUsize::new(WRITERS as usize);
    let lost = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while at_work.load(Ordering::SeqCst) > 0 {
                clock.advance(Duration::from_millis(500));
            }
        });
        for writer in 0..WRITERS {
            let (moka, at_work, lost) = (&moka, &at_work, &lost);
            scope.spawn(move || {
                let tag = format!("t:{writer}").into();
                for i in 0..10_000 {
                    let key = format!("k:{writer}:{}", i % 3);
                    set(moka, &key, number(i), Duration::MAX, std::slice::from_ref(&tag));
                    let found = moka.get(&key, Kind::of::<u64>()).wait().expect("readable");
                    let found = found.and_then(|entry| entry.value.downcast::<u64>().ok());
                    if found.as_deref() != Some(&i) {
                        lost.store(true, Ordering::SeqCst);
                    }
                    moka.invalidate(Target::Tag(&tag), Strength::Remove).wait().expect("ok");
                }
                at_work.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    assert!(!lost.load(Ordering::SeqCst), "what was stored was not there");
}

#[test]
fn incr_is_exact_beside_writes_and_sweeps() {
    let (moka, clock) = moka(1000);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let moka = &moka;
            scope.spawn(move || {
                for i in 0..5_000 {
                    moka.incr("count", 1, Lifetime::FOREVER).wait().expect("counted");
                    if thread == 0 {
                        set(moka, &format!("k:{}", i % 500), number(i), HOUR, &[]);
                        moka.delete(&format!("k:{}", i / 2 % 500)).wait().expect("deleted");
                    }
                }
            });
        }
        for _ in 0..100 {
            clock.advance(SECOND);
        }
    });
    assert_eq!(moka.incr("count", 0, Lifetime::FOREVER).wait().expect("counted"), 20_000);
}
