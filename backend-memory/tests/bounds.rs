//! G6: what a store keeps beside its entries is bounded too.

use std::sync::Arc;
use std::time::Duration;

use backend_memory::Memory;
use cache_core::{Cache, Lifetime, ManualClock, Set, Stored, Strength, Target, Value};

const HOUR: Duration = Duration::from_secs(3600);

fn store() -> (Memory, ManualClock) {
    let clock = ManualClock::new();
    (Memory::builder().capacity(1000).clock(clock.clock()).build(), clock)
}

fn set<'a>(fence: Option<cache_core::Fence>, tags: &'a [Box<str>]) -> Set<'a> {
    Set { tags, fence, ..Set::new(Lifetime { fresh: HOUR, total: HOUR }) }
}

#[test]
fn a_load_that_never_ends_does_not_keep_marks_for_ever_and_is_not_stored() {
    let (memory, clock) = store();
    let fence = memory.fence("k").wait().expect("a fence");
    memory.invalidate(Target::Tag("mine"), Strength::Remove).wait().expect("ok");
    for i in 0..2_000 {
        memory.invalidate(Target::Pattern(&format!("p:{i}:*")), Strength::Remove).wait().expect("ok");
    }
    for i in 0..70_000 {
        memory.invalidate(Target::Tag(&format!("t:{i}")), Strength::Remove).wait().expect("ok");
    }
    clock.advance(Duration::from_secs(1));
    let tags = ["mine".into()];
    let stored = memory.set("k", Value::new(Arc::new(1_u8)), set(Some(fence), &tags)).wait();
    assert_eq!(stored.expect("answered"), Stored::Fenced);
    memory.release("k", fence);
    // Loads that begin now are not concerned.
    let fence = memory.fence("k").wait().expect("a fence");
    let stored = memory.set("k", Value::new(Arc::new(1_u8)), set(Some(fence), &tags)).wait();
    assert_eq!(stored.expect("answered"), Stored::Yes);
}

#[test]
fn ten_thousand_patterns_leave_what_they_do_not_match() {
    let (memory, _) = store();
    for i in 0..100 {
        memory.set(&format!("keep:{i}"), Value::new(Arc::new(i)), set(None, &[])).wait().expect("set");
    }
    for i in 0..10_000 {
        memory.invalidate(Target::Pattern(&format!("drop:{i}:*")), Strength::Remove).wait().expect("ok");
    }
    assert!((0..100).all(|i| memory.fresh(&format!("keep:{i}")).is_some() || {
        let kind = cache_core::Kind::of::<i32>();
        memory.get(&format!("keep:{i}"), kind).wait().expect("readable").is_some()
    }));
}

#[test]
fn capacity_holds_under_threads_that_write_different_shards() {
    for capacity in [1, 7, 300, 5_000] {
        let memory = Memory::builder().capacity(capacity).build();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let memory = &memory;
                scope.spawn(move || {
                    for i in 0..5_000 {
                        let key = format!("{thread}:{i}");
                        memory.set(&key, Value::new(Arc::new(i)), set(None, &[])).wait().expect("set");
                        if i % 3 == 0 {
                            memory.delete(&key).wait().expect("deleted");
                        }
                    }
                });
            }
        });
        let entries = memory.usage().entries;
        assert!(entries <= capacity as u64 && entries > 0, "{entries} of {capacity}");
    }
}

/// A value whose `Drop` uses the store, and one whose `Drop` panics, harm nobody.
#[test]
fn a_drop_may_use_the_store_and_may_panic() {
    struct Nosy(Memory);
    impl Drop for Nosy {
        fn drop(&mut self) {
            self.0.delete("other").wait().expect("deleted");
            assert!(self.0.usage().entries <= 1000);
        }
    }
    struct Rude;
    impl Drop for Rude {
        fn drop(&mut self) {
            panic!("as the test wants");
        }
    }
    let (memory, clock) = store();
    let nosy = || Value::new(Arc::new(cache_core::Local(Nosy(memory.clone()))));
    for _ in 0..3 {
        memory.set("nosy", nosy(), set(None, &[])).wait().expect("set");
    }
    assert!(memory.delete("nosy").wait().expect("deleted"));
    for i in 0..2000 {
        memory.set(&format!("nosy:{i}"), nosy(), set(None, &[])).wait().expect("set");
    }
    memory.invalidate(Target::Pattern("nosy:*"), Strength::Remove).wait().expect("ok");
    clock.advance(Duration::from_secs(1));
    assert_eq!(memory.usage().entries, 0);

    memory.set("rude", Value::new(Arc::new(cache_core::Local(Rude))), set(None, &[])).wait().expect("set");
    memory.invalidate(Target::Pattern("rude"), Strength::Remove).wait().expect("ok");
    let turn = clock.clone();
    let turned = std::thread::spawn(move || turn.advance(Duration::from_secs(1))).join();
    assert!(turned.is_err());
    memory.set("k", Value::new(Arc::new(1_u8)), set(None, &[])).wait().expect("set");
    memory.invalidate(Target::Pattern("k"), Strength::Remove).wait().expect("ok");
    clock.advance(Duration::from_secs(1));
    assert_eq!(memory.usage().entries, 0, "it is still swept");
}

/// A sweep that comes while another one is under way must not forget the marks that the first still works with.
#[test]
fn overlapping_sweeps_bring_nothing_back() {
    struct Sweeper(ManualClock);
    impl Drop for Sweeper {
        fn drop(&mut self) {
            let clock = self.0.clone();
            std::thread::spawn(move || clock.advance(Duration::from_millis(600))).join().expect("swept");
        }
    }
    let clock = ManualClock::new();
    let memory = Memory::builder().capacity(20_000).clock(clock.clock()).build();
    for i in 0..4_000 {
        memory.set(&format!("x:{i}"), Value::new(Arc::new(i)), set(None, &[])).wait().expect("set");
    }
    for i in 0..4 {
        let sweeper = cache_core::Local(Sweeper(clock.clone()));
        memory
            .set(&format!("x:sweeper:{i}"), Value::new(Arc::new(sweeper)), set(None, &[]))
            .wait()
            .expect("set");
    }
    memory.invalidate(Target::Pattern("x:*"), Strength::Remove).wait().expect("ok");
    clock.advance(Duration::from_millis(600));
    let kind = cache_core::Kind::of::<i32>();
    let back = (0..4_000)
        .filter(|i| memory.get(&format!("x:{i}"), kind).wait().expect("readable").is_some())
        .count();
    assert_eq!((back, memory.usage().entries), (0, 0));
}
