//! The eviction listener: told of each entry that leaves, once, with the cause, without a lock, before the drop.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::Duration;

use backend_memory::{Memory, MemoryBuilder, RemovalCause};
use cache_core::{Cache, Lifetime, Local, ManualClock, Set, Stored, Strength, Target, Value};

type Told = Arc<Mutex<Vec<(String, u64, RemovalCause)>>>;

fn listening(builder: MemoryBuilder) -> (MemoryBuilder, Told) {
    let told = Told::default();
    let tell = told.clone();
    let builder = builder.eviction_listener(move |key, value, cause| {
        let number = value.as_any().downcast_ref::<u64>().copied().unwrap_or(0);
        tell.lock().expect("not poisoned").push((key.to_owned(), number, cause));
    });
    (builder, told)
}

fn set(memory: &Memory, key: &str, value: u64, ms: u64) -> Stored {
    let life = Duration::from_millis(ms);
    let tags = ["tag".into()];
    let options = Set {
        tags: if key.starts_with("tagged") { &tags } else { &[] },
        ..Set::new(Lifetime { fresh: life, total: life })
    };
    memory.set(key, Value::new(Arc::new(value)), options).wait().expect("answered")
}

fn strike(memory: &Memory, target: Target<'_>) {
    memory.invalidate(target, Strength::Remove).wait().expect("ok");
}

#[test]
fn each_leaves_once_and_for_its_cause() {
    let clock = ManualClock::new();
    let (builder, told) = listening(Memory::builder().capacity(3).clock(clock.clock()));
    let memory = builder.build();
    let expect = |expected: &[(&str, u64, RemovalCause)]| {
        let told = std::mem::take(&mut *told.lock().expect("not poisoned"));
        let told: Vec<_> = told.iter().map(|(key, value, cause)| (&**key, *value, *cause)).collect();
        assert_eq!(told, expected);
    };
    let long = "a key that is too long to stand in its slot";
    set(&memory, long, 1, 1_000);
    set(&memory, long, 2, 1_000);
    expect(&[(long, 1, RemovalCause::Replaced)]);
    memory.delete(long).wait().expect("deleted");
    expect(&[(long, 2, RemovalCause::Deleted)]);
    memory.delete(long).wait().expect("deleted");
    expect(&[]);
    set(&memory, "a", 3, 1_000);
    strike(&memory, Target::Key("a"));
    expect(&[("a", 3, RemovalCause::Invalidated)]);
    for value in 4..8 {
        set(&memory, &value.to_string(), value, 1_000);
    }
    expect(&[("4", 4, RemovalCause::Capacity)]);
    // Come across by a write of the key, and by the sweep.
    strike(&memory, Target::Pattern("[56]"));
    set(&memory, "5", 8, 100);
    expect(&[("5", 5, RemovalCause::Invalidated)]);
    clock.advance(Duration::from_millis(600));
    expect(&[("5", 8, RemovalCause::Expired), ("6", 6, RemovalCause::Invalidated)]);
    set(&memory, "tagged", 9, 1_000);
    strike(&memory, Target::Tag("tag"));
    strike(&memory, Target::All);
    let told = || told.lock().expect("not poisoned").len();
    assert_eq!(told(), 2);
    strike(&memory, Target::All);
    clock.advance(Duration::from_secs(5));
    drop(memory);
    assert_eq!(told(), 2);
}

/// Values that are all different: none may be told of twice, and none forgotten.
#[test]
fn exactly_once_under_threads() {
    let (builder, told) = listening(Memory::builder().capacity(700).max_weight(2_000));
    let memory = builder.weigher(|value: &u64| (value % 7) as u32 + 1).build();
    let (next, stored) = (AtomicU64::new(1), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let (memory, next, stored) = (&memory, &next, &stored);
            scope.spawn(move || {
                for i in 0..5_000_u64 {
                    let key = format!("k:{}", (i * 7 + thread * 13) % 900);
                    match i % 11 {
                        0 => drop(memory.delete(&key)),
                        1 => strike(memory, Target::Pattern(&format!("k:{}*", i % 90))),
                        2 if i % 500 == 2 => strike(memory, Target::All),
                        _ => {
                            let value = next.fetch_add(1, Ordering::Relaxed);
                            assert_eq!(set(memory, &key, value, 20 + i % 50), Stored::Yes);
                            stored.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    strike(&memory, Target::All);
    let told = told.lock().expect("not poisoned");
    let mut times = HashMap::new();
    told.iter().for_each(|(_, value, _)| *times.entry(value).or_insert(0) += 1);
    assert!(times.values().all(|times| *times == 1));
    assert_eq!(times.len() as u64, stored.load(Ordering::Relaxed));
    assert_eq!((memory.usage().entries, memory.usage().weight), (0, 0));
}

#[test]
fn the_value_is_dropped_after_the_listener_has_seen_it() {
    struct Guard(Arc<AtomicBool>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let (dropped, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (drops, sees) = (dropped.clone(), seen.clone());
    let memory = Memory::builder()
        .eviction_listener(move |_, _, _| sees.store(!drops.load(Ordering::SeqCst), Ordering::SeqCst))
        .build();
    let value = Value::new(Arc::new(Local(Guard(dropped.clone()))));
    memory.set("k", value, Set::new(Lifetime::FOREVER)).wait().expect("set");
    memory.delete("k").wait().expect("deleted");
    assert!(seen.load(Ordering::SeqCst) && dropped.load(Ordering::SeqCst));
}

/// It stores, in a store that is full, from wherever it is called; and it panics.
#[test]
fn a_listener_may_use_the_store_and_may_panic() {
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        for (capacity, max) in [(1, 3), (5_000, 9_000)] {
            let clock = ManualClock::new();
            let itself = Arc::new(OnceLock::<Memory>::new());
            let (inner, calls) = (itself.clone(), AtomicU64::new(0));
            let memory = Memory::builder()
                .capacity(capacity)
                .max_weight(max)
                .weigher(|value: &u64| *value as u32)
                .clock(clock.clock())
                .eviction_listener(move |key, _, _| {
                    let call = calls.fetch_add(1, Ordering::Relaxed);
                    if let (Some(memory), false) = (inner.get(), key.starts_with("from")) {
                        set(memory, &format!("from:{}", call % 10), 1 + call % 3, 1_000);
                    }
                    assert!(!call.is_multiple_of(10), "as the test wants");
                })
                .build();
            itself.set(memory.clone()).unwrap_or_else(|_| unreachable!("it is set once"));
            for i in 0..3_000 {
                set(&memory, &format!("k:{i}"), 1 + i % 3, 1_000);
                assert!(memory.usage().weight <= max && memory.usage().entries <= capacity as u64);
            }
            strike(&memory, Target::Pattern("k:*"));
            clock.advance(Duration::from_secs(1));
            strike(&memory, Target::All);
            clock.advance(Duration::from_secs(3));
            assert_eq!((memory.usage().entries, memory.usage().weight), (0, 0));
        }
        done.send(()).expect("awaited");
    });
    finished.recv_timeout(Duration::from_secs(60)).expect("nobody waits for itself");
}
