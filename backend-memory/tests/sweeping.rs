//! The sweep: what is over is given back though nobody reads, and what it forgets nobody needs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use backend_memory::Memory;
use cache_core::{Cache, Fence, Lifetime, ManualClock, Set, Stored, Strength, Target, Value};

const SECOND: Duration = Duration::from_secs(1);

fn life(seconds: u32) -> Lifetime {
    Lifetime { fresh: SECOND * seconds, total: SECOND * seconds }
}

fn set(memory: &Memory, key: &str, options: Set<'_>) -> Stored {
    memory.set(key, Value::new(Arc::new(1_u8)), options).wait().expect("answered")
}

#[test]
fn what_was_swept_makes_room() {
    let clock = ManualClock::new();
    let memory = Memory::builder().capacity(5_000).clock(clock.clock()).build();
    for round in 0..3 {
        for i in 0..5_000 {
            set(&memory, &format!("{round}:{i}"), Set::new(life(1)));
        }
        let usage = memory.usage();
        assert_eq!((usage.entries, usage.evictions), (5_000, 0));
        clock.advance(2 * SECOND);
        assert_eq!((memory.usage().entries, memory.usage().expirations), (0, 5_000 * (round + 1)));
    }
}

#[test]
fn a_deadline_that_was_brought_forward_is_met() {
    let clock = ManualClock::new();
    let memory = Memory::builder().clock(clock.clock()).build();
    set(&memory, "k", Set::new(life(3_600)));
    clock.advance(SECOND);
    assert!(memory.expire("k", SECOND).wait().expect("answered"));
    clock.advance(2 * SECOND);
    assert_eq!((memory.usage().entries, memory.usage().expirations), (0, 1));
    // And one that was put off is not forgotten.
    set(&memory, "k", Set::new(life(1)));
    assert!(memory.expire("k", 3 * SECOND).wait().expect("answered"));
    clock.advance(2 * SECOND);
    assert_eq!(memory.usage().entries, 1);
    clock.advance(2 * SECOND);
    assert_eq!(memory.usage().entries, 0);
}

/// While a sweep is under way (its listener is called in the middle of it), a load begins in a shard that it has
/// passed, and then something is invalidated that the load is covered by. The sweep must not forget that mark.
fn a_mark_made_during_a_sweep(strike: fn(&Memory), tags: &[Box<str>]) {
    for _ in 0..24 {
        let clock = ManualClock::new();
        let itself = Arc::new(OnceLock::<Memory>::new());
        let fence = Arc::new(OnceLock::<Fence>::new());
        let (inner, taken, calls) = (itself.clone(), fence.clone(), AtomicU64::new(0));
        let memory = Memory::builder()
            .capacity(20_000)
            .clock(clock.clock())
            .eviction_listener(move |_, _, _| {
                if let (Some(memory), 500) = (inner.get(), calls.fetch_add(1, Ordering::Relaxed)) {
                    taken.get_or_init(|| memory.fence("load").wait().expect("a fence"));
                    strike(memory);
                }
            })
            .build();
        itself.set(memory.clone()).unwrap_or_else(|_| unreachable!("it is set once"));
        for i in 0..1_000 {
            set(&memory, &format!("k:{i}"), Set::new(life(1)));
        }
        clock.advance(SECOND + SECOND / 4);
        let fence = *fence.get().expect("the sweep called the listener");
        let options = Set { fence: Some(fence), tags, ..Set::new(life(1)) };
        assert_eq!(set(&memory, "load", options), Stored::Fenced);
        memory.release("load", fence);
    }
}

#[test]
fn a_tag_mark_made_during_a_sweep_is_kept_for_the_load_it_covers() {
    let strike = |memory: &Memory| drop(memory.invalidate(Target::Tag("t"), Strength::Remove));
    a_mark_made_during_a_sweep(strike, &["t".into()]);
}

#[test]
fn a_pattern_mark_made_during_a_sweep_is_kept_for_the_load_it_covers() {
    let strike = |memory: &Memory| drop(memory.invalidate(Target::Pattern("lo*"), Strength::Remove));
    a_mark_made_during_a_sweep(strike, &[]);
}

/// What is stored while a shard is swept in slices stands where the sweep has been or is still to come.
#[test]
fn what_is_stored_during_a_sweep_keeps_its_deadline() {
    let clock = ManualClock::new();
    let itself = Arc::new(OnceLock::<Memory>::new());
    let (inner, calls) = (itself.clone(), AtomicU64::new(0));
    let memory = Memory::builder()
        .capacity(300_000)
        .clock(clock.clock())
        .eviction_listener(move |key, _, _| {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            if let (Some(memory), true) = (inner.get(), key.starts_with("k:") && call.is_multiple_of(5)) {
                set(memory, &format!("new:{call}"), Set::new(life(1)));
            }
        })
        .build();
    itself.set(memory.clone()).unwrap_or_else(|_| unreachable!("it is set once"));
    for i in 0..200_000 {
        set(&memory, &format!("k:{i}"), Set::new(life(if i % 100 == 0 { 3_600 } else { 1 })));
    }
    clock.advance(SECOND + SECOND / 4);
    assert_eq!(memory.usage().entries, 2_000 + 198_000 / 5);
    clock.advance(2 * SECOND);
    assert_eq!(memory.usage().entries, 2_000);
    assert!((0..2_000).all(|i| memory.fresh(&format!("k:{}", i * 100)).is_some()));
}

/// Values whose `Drop` panics, several in one slice: the process lives, and the sweep comes to its end.
#[test]
fn drops_that_panic_do_not_end_the_sweep() {
    struct Rude;
    impl Drop for Rude {
        fn drop(&mut self) {
            panic!("as the test wants");
        }
    }
    let clock = ManualClock::new();
    let memory = Memory::builder().capacity(200).clock(clock.clock()).build();
    let rude = |key: &str| {
        let value = Value::new(Arc::new(cache_core::Local(Rude)));
        memory.set(key, value, Set::new(life(1))).wait().expect("set");
    };
    rude("first");
    for i in 0..150 {
        let tags = ["t".into()];
        set(&memory, &format!("k:{i}"), Set { tags: &tags, ..Set::new(life(3)) });
    }
    rude("second");
    rude("third");
    let turn = || {
        let clock = clock.clone();
        std::thread::spawn(move || clock.advance(SECOND + SECOND / 4)).join().is_err()
    };
    assert!(turn());
    assert_eq!(memory.usage().entries, 150);
    assert!(!turn() && !turn());
    assert_eq!(memory.usage().entries, 0, "their deadlines were not lost");

    (0..50).for_each(|i| rude(&i.to_string()));
    let cleared = std::thread::scope(|scope| {
        let clear = scope.spawn(|| drop(memory.invalidate(Target::All, Strength::Remove)));
        clear.join()
    });
    assert!(cleared.is_err());
    assert_eq!(memory.usage().entries, 0);
}

/// Where a thread is held when something of it first leaves the store: it says so, and waits to be let go.
#[derive(Default)]
struct Gates(Mutex<HashMap<&'static str, Gate>>);

type Gate = (Sender<&'static str>, Receiver<()>);

const IN_TIME: Duration = Duration::from_secs(10);

impl Gates {
    fn pass(&self) {
        let here = thread::current();
        let gate = here.name().and_then(|name| self.0.lock().expect("no panic").remove(name));
        if let Some((held, let_go)) = gate {
            held.send("held").expect("the test listens");
            let_go.recv_timeout(IN_TIME).expect("the test lets it go");
        }
    }
}

/// A sweep that began before a mark gives memory back, and so moves entries, while another one holds the entries
/// against the mark, slice by slice: entries that moved from before it to behind it would never be held against the
/// mark, which it then forgets. So there is one at a time.
#[test]
fn two_sweeps_at_once_bring_nothing_back() {
    let (clock, gates) = (ManualClock::new(), Arc::new(Gates::default()));
    let passing = gates.clone();
    // One shard of 512 slots, four slices of them.
    let builder = Memory::builder().capacity(511).clock(clock.clock());
    let memory = builder.eviction_listener(move |_, _, _| passing.pass()).build();
    for i in 0..384 {
        let life = Duration::from_millis(100);
        set(&memory, &format!("soon:{i}"), Set::new(Lifetime { fresh: life, total: life }));
    }
    let kept = (0..40).map(|i| format!("kept:{i}")).collect::<Vec<_>>();
    for key in &kept {
        set(&memory, key, Set::new(Lifetime::FOREVER));
    }
    let sweep = |name: &'static str| {
        let (told, (let_go, gate), clock) = (channel(), channel(), clock.clone());
        gates.0.lock().expect("no panic").insert(name, (told.0.clone(), gate));
        let work = move || {
            clock.advance(Duration::from_millis(500));
            // Where nobody listens any more, it was held before.
            let _ = told.0.send("done");
        };
        let thread = thread::Builder::new().name(name.into()).spawn(work).expect("a thread");
        let came_to = told.1.recv_timeout(IN_TIME).expect("it is held, or it is done");
        (came_to, let_go, thread)
    };
    // After its first slice.
    let (held, go_on, first) = sweep("first");
    assert_eq!(held, "held");
    memory.invalidate(Target::Pattern("kept:*"), Strength::Remove).wait().expect("answered");
    let (_, go_on_too, second) = sweep("second");
    for (go_on, thread) in [(go_on, first), (go_on_too, second)] {
        // One that is done was not held.
        let _ = go_on.send(());
        thread.join().expect("no panic");
    }
    let found: Vec<_> = kept.iter().filter(|key| memory.fresh(key).is_some()).collect();
    assert!(found.is_empty(), "invalidated, and served: {found:?}");
    clock.advance(SECOND);
    assert_eq!(memory.usage().entries, 0, "and swept in the end");
}
