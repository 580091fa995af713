//! Trouble of the cache never fails a load; explicit operations report it.

use std::sync::Arc;
use std::time::Duration;

use cache_core::testing::{Fault, Faulty, Op, Plain, conformance};
use cache_core::{Engine, ErrorKind, ManualClock};

const MINUTE: Duration = Duration::from_secs(60);

fn cache() -> (Engine, Arc<Faulty<Plain>>) {
    let faulty = Arc::new(Faulty::new(Plain::default()));
    (Engine::builder().build(faulty.clone()), faulty)
}

#[test]
fn without_faults_it_is_the_backend_itself() {
    let clock = ManualClock::new();
    let faulty = Faulty::new(Plain::new(clock.clock()));
    conformance::run(&conformance::Subject { cache: &faulty, advance: &|by| clock.advance(by) });
}

#[test]
fn loads_go_on_when_everything_fails_and_operations_say_so() {
    let (cache, faulty) = cache();
    Op::ALL.into_iter().for_each(|op| faulty.fail(op));
    for round in 0..3_u8 {
        assert_eq!(*cache.get_or_compute("k", MINUTE, || round), round);
    }
    let kinds = [
        cache.get::<u8>("k").wait().map(drop),
        cache.set("k", 1_u8, MINUTE).wait(),
        cache.delete("k").wait().map(drop),
        cache.expire("k", MINUTE).wait().map(drop),
        cache.incr("n", 1).wait().map(drop),
        cache.ttl("k").wait().map(drop),
        cache.invalidate("k").wait(),
    ]
    .map(|result| result.map_err(|error| error.kind()));
    assert_eq!(kinds, [Err(ErrorKind::Unavailable); 7]);
    assert!(
        faulty.faults(Op::Fence) >= 3 && faulty.faults(Op::Set) == 1,
        "a load without a fence stores nothing"
    );
    faulty.heal();
    assert_eq!(*cache.get_or_compute("k", MINUTE, || 7_u8), 7);
    assert_eq!(*cache.get_or_compute("k", MINUTE, || 8_u8), 7, "it caches again");
    assert_eq!(faulty.fences_in_use(), 0);
}

#[test]
fn each_operation_may_fail_alone_and_every_fence_is_given_back() {
    for op in Op::ALL {
        let (cache, faulty) = cache();
        faulty.fail(op);
        assert_eq!(*cache.get_or_compute("k", MINUTE, || 1_u8), 1, "{op:?}");
        assert_eq!(cache.try_get_or_compute("f", MINUTE, || Err::<u8, _>("no")), Err("no"), "{op:?}");
        assert_eq!(faulty.fences_in_use(), 0, "{op:?}");
    }
}

#[test]
fn a_script_is_used_up_in_its_order() {
    let script = [Fault::error_on(Op::Set).times(2), Fault::lost(Op::Set), Fault::late(Op::Set, 3)];
    let faulty = Arc::new(Faulty::new(Plain::default()).script(script));
    let cache = Engine::builder().build(faulty.clone());
    let answers = [0; 5].map(|_| {
        let stored = cache.set("k", 1_u8, MINUTE).wait().is_ok();
        (stored, cache.get::<u8>("k").wait().expect("readable").is_some())
    });
    assert_eq!(answers, [(false, false), (false, false), (true, false), (true, true), (true, true)]);
    assert_eq!((faulty.calls(Op::Set), faulty.faults(Op::Set)), (5, 4));
}

#[tokio::test]
async fn a_load_that_hangs_in_the_cache_is_its_callers_to_give_up() {
    let (cache, faulty) = cache();
    for op in [Op::Get, Op::Fence, Op::Set] {
        faulty.switch(Fault::hang(op));
        let load = cache.get_or_load("k", MINUTE, || async { 1_u8 });
        assert!(tokio::time::timeout(Duration::from_millis(20), load).await.is_err(), "{op:?}");
        faulty.heal();
        let load = cache.get_or_load("k", MINUTE, || async { 2_u8 });
        let after = tokio::time::timeout(Duration::from_secs(5), load).await;
        assert_eq!(*after.expect("whoever comes next is not held up"), 2, "{op:?}");
        assert_eq!(faulty.fences_in_use(), 0, "{op:?}");
        cache.delete("k").await.expect("deleted");
    }
}

#[test]
fn trouble_with_the_backend_is_told_by_health() {
    let (cache, faulty) = cache();
    assert!(cache.health().wait().expect("told").ok);
    faulty.fail(Op::Troubles);
    let health = cache.health().wait().expect("not to be reached is a trouble, and no error");
    assert!(!health.ok && health.troubles[0].contains("Troubles"), "{health:?}");
    faulty.switch(Fault::late(Op::Troubles, 3));
    assert!(cache.health().wait().expect("told").ok, "late, and well");
    assert_eq!((faulty.calls(Op::Troubles), faulty.faults(Op::Troubles)), (3, 2));
}

#[tokio::test]
async fn a_slow_answer_comes_when_its_clock_says_so() {
    let clock = ManualClock::new();
    let faulty = Arc::new(Faulty::new(Plain::new(clock.clock())).clock(clock.clock()));
    let cache = Engine::builder().clock(clock.clock()).build(faulty.clone());
    faulty.switch(Fault::slow(Op::Set, 10 * MINUTE));
    let set = tokio::spawn({
        let cache = cache.clone();
        async move { cache.set("k", 1_u8, 60 * MINUTE).await }
    });
    let turn = async || {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        set.is_finished()
    };
    assert!(!turn().await, "no time has passed");
    assert!(cache.exists("k").wait().expect("readable"), "it is done, and not yet answered");
    clock.advance(9 * MINUTE);
    assert!(!turn().await, "not enough time has passed");
    clock.advance(MINUTE);
    assert!(turn().await);
    set.await.expect("no panic").expect("stored");
}
