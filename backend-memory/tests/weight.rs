//! Capacity by weight, and G6 for it: never more than the maximum, whatever the threads do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use backend_memory::{Memory, MemoryBuilder};
use cache_core::{Cache, Cacheable, Kind, Lifetime, Local, ManualClock, Set, Stored, Target, Value};

/// A value that weighs what it says.
struct Heavy(u32);

fn heavy(weight: u32) -> Value {
    Value::new(Arc::new(Local(Heavy(weight))))
}

fn weighed(max: u64) -> MemoryBuilder {
    Memory::builder().max_weight(max).weigher(|value: &Local<Heavy>| value.0.0)
}

fn set(memory: &Memory, key: &str, value: Value) -> Stored {
    memory.set(key, value, Set::new(Lifetime::FOREVER)).wait().expect("answered")
}

/// Runs `test`, which might wait for ever for room, and fails if it does.
fn in_time(test: fn()) {
    let (done, finished) = mpsc::channel();
    let test = std::thread::spawn(move || {
        test();
        done.send(()).expect("awaited");
    });
    if let Err(mpsc::RecvTimeoutError::Timeout) = finished.recv_timeout(Duration::from_secs(60)) {
        panic!("it waits for room that nobody makes");
    }
    test.join().expect("no panic");
}

fn weight_of(memory: &Memory, key: &str) -> Option<u32> {
    let entry = memory.get(key, Kind::of::<Local<Heavy>>()).wait().expect("readable")?;
    Some(entry.value.downcast::<Local<Heavy>>().expect("of its kind").0.0)
}

#[test]
fn each_type_by_its_weigher_and_one_without() {
    fn weighs<T: Cacheable>(value: T) -> u64 {
        let memory = Memory::builder()
            .max_weight(1_000)
            .weigher(|text: &String| text.len() as u32)
            .weigher(|bytes: &Vec<u8>| 2 * bytes.len() as u32)
            .weigher(|_: &i64| 500)
            .build();
        set(&memory, "k", Value::new(Arc::new(value)));
        assert_eq!(memory.usage().entries, 1);
        memory.usage().weight
    }
    assert_eq!(weighs("hello".to_owned()), 5);
    assert_eq!(weighs(vec![1_u8; 10]), 20);
    assert_eq!(weighs(7_u8), 1);
    assert_eq!(weighs(String::new()), 1, "else there could be any number of them");
    assert_eq!(weighs(7_i64), 1, "a counter");
}

#[test]
fn a_replaced_value_is_weighed_again() {
    let memory = weighed(100).build();
    set(&memory, "a", heavy(10));
    set(&memory, "b", heavy(50));
    assert_eq!(memory.usage().weight, 60);
    set(&memory, "b", heavy(20));
    assert_eq!((memory.usage().weight, memory.usage().evictions), (30, 0));
    set(&memory, "b", heavy(95));
    assert_eq!((memory.usage().weight, memory.usage().evictions), (95, 1));
    assert_eq!((weight_of(&memory, "a"), weight_of(&memory, "b")), (None, Some(95)));
    // What must give way may be the predecessor itself.
    set(&memory, "c", heavy(5));
    set(&memory, "b", heavy(100));
    assert_eq!((memory.usage().entries, weight_of(&memory, "b")), (1, Some(100)));
}

#[test]
fn heavier_than_everything_is_not_kept_nor_what_stood_there() {
    let memory = weighed(100).build();
    set(&memory, "a", heavy(10));
    set(&memory, "b", heavy(10));
    assert_eq!(set(&memory, "a", heavy(101)), Stored::Yes);
    assert_eq!((weight_of(&memory, "a"), weight_of(&memory, "b")), (None, Some(10)));
    let usage = memory.usage();
    assert_eq!((usage.entries, usage.weight, usage.evictions), (1, 10, 1));
    // Where its fence does not hold, nothing goes.
    let fence = memory.fence("b").wait().expect("a fence");
    set(&memory, "b", heavy(20));
    let fenced = Set { fence: Some(fence), ..Set::new(Lifetime::FOREVER) };
    assert_eq!(memory.set("b", heavy(101), fenced).wait().expect("answered"), Stored::Fenced);
    memory.release("b", fence);
    assert_eq!(weight_of(&memory, "b"), Some(20));
}

#[test]
fn a_weigher_that_panics_harms_nobody() {
    let memory = Memory::builder()
        .max_weight(100)
        .weigher(|text: &String| text.parse().expect("as the test wants"))
        .build();
    let text = |text: &str| Value::new(Arc::new(text.to_owned()));
    set(&memory, "a", text("7"));
    assert_eq!(set(&memory, "a", text("rude")), Stored::Yes);
    assert_eq!((memory.usage().entries, memory.usage().weight), (0, 0));
    set(&memory, "a", text("9"));
    assert_eq!(memory.usage().weight, 9);
}

#[test]
fn one_entry_may_take_all_the_room() {
    in_time(one_for_all);
}

/// 64 shards: the room has to come from all of them, and the fence must live through the second attempt.
fn one_for_all() {
    let memory = weighed(100_000).build();
    for i in 0..50_000 {
        set(&memory, &format!("k:{i}"), heavy(2));
    }
    assert_eq!(memory.usage().weight, 100_000);
    let fence = memory.fence("one").wait().expect("a fence");
    let fenced = Set { fence: Some(fence), ..Set::new(Lifetime::FOREVER) };
    assert_eq!(memory.set("one", heavy(100_000), fenced).wait().expect("answered"), Stored::Yes);
    memory.release("one", fence);
    let usage = memory.usage();
    assert_eq!((usage.entries, usage.weight, usage.evictions), (1, 100_000, 50_000));
    assert_eq!(weight_of(&memory, "one"), Some(100_000));
    assert_eq!(memory.incr("n", 1, Lifetime::FOREVER).wait().expect("a counter"), 1);
    assert_eq!((memory.usage().entries, memory.usage().weight), (1, 1));
}

#[test]
fn never_more_than_the_maximum_whatever_the_threads_do() {
    in_time(threads);
}

fn threads() {
    let clock = ManualClock::new();
    for (max, capacity, most) in [(1, 100, 1), (50, 10, 60), (20_000, 5_000, 40), (20_000, 300, 5_000)] {
        let memory = weighed(max).capacity(capacity).clock(clock.clock()).build();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..3_u32)
                .map(|thread| {
                    let memory = &memory;
                    scope.spawn(move || {
                        let mut random = thread;
                        for i in 0..8_000 {
                            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                            let key = format!("k:{}", (random >> 8) % 3_000);
                            match random >> 29 {
                                0 => drop(memory.delete(&key)),
                                1 => drop(memory.incr(&format!("n:{}", i % 50), 1, Lifetime::FOREVER)),
                                _ => drop(set(memory, &key, heavy((random >> 4) % most + 1))),
                            }
                            let usage = memory.usage();
                            assert!(usage.weight <= max && usage.entries <= capacity as u64, "{usage:?}");
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let usage = memory.usage();
                    assert!(usage.weight <= max && usage.entries <= capacity as u64, "{usage:?}");
                    std::thread::yield_now();
                }
            });
            let ended: Vec<_> = writers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            done.store(true, Ordering::Relaxed);
            assert!(ended.iter().all(Result::is_ok));
        });
        // What is counted is what is there.
        let held = (0..3_000).filter_map(|i| weight_of(&memory, &format!("k:{i}")));
        let (entries, weight) = held.fold((0, 0), |(n, sum), weight| (n + 1, sum + u64::from(weight)));
        let counters = (0..50).filter(|i| memory.ttl(&format!("n:{i}")).wait().expect("readable").is_some());
        let counters = counters.count() as u64;
        let usage = memory.usage();
        assert_eq!((usage.entries, usage.weight), (entries + counters, weight + counters));
        assert!(entries + counters > 0);
        memory.invalidate(Target::Pattern("*"), cache_core::Strength::Remove).wait().expect("ok");
        clock.advance(Duration::from_secs(1));
        assert_eq!((memory.usage().entries, memory.usage().weight), (0, 0));
    }
}

#[test]
fn what_is_refused_takes_no_room() {
    in_time(refusals);
}

fn refusals() {
    let memory = weighed(100).capacity(10).build();
    for _ in 0..30 {
        let fence = memory.fence("k").wait().expect("a fence");
        memory.delete("k").wait().expect("answered");
        let fenced = Set { fence: Some(fence), ..Set::new(Lifetime::FOREVER) };
        assert_eq!(memory.set("k", heavy(10), fenced).wait().expect("answered"), Stored::Fenced);
        memory.release("k", fence);
    }
    assert_eq!((memory.usage().entries, memory.usage().weight), (0, 0));
    for i in 0..10 {
        set(&memory, &i.to_string(), heavy(10));
        let absent = Set { if_absent: true, ..Set::new(Lifetime::FOREVER) };
        assert_eq!(memory.set("0", heavy(50), absent).wait().expect("answered"), Stored::Exists);
    }
    let usage = memory.usage();
    assert_eq!((usage.entries, usage.weight, usage.evictions), (10, 100, 0));
}
