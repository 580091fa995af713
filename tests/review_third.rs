//! What a reviewer tried against the loads: given up after any number of polls, under each policy; with what is counted.

#![cfg(feature = "testing")]

mod common;

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::time::Duration;

use common::{Failure, MINUTE, SECOND, in_time, poll, settle, subjects};
use larder::testing::Remote;
use larder::{Larder, Loaded, ManualClock, Memory, Policy};

fn policy(variant: usize) -> Policy<larder::Background, larder::Limited> {
    let policy = Policy::ttl(10 * SECOND).tags(["t"]);
    let policy = match variant {
        0 => policy,
        1 => policy.swr(MINUTE),
        2 => policy.sie(MINUTE).soft_timeout(SECOND),
        _ => policy.sie(MINUTE),
    };
    policy.hard_timeout(30 * SECOND)
}

async fn slow(result: Result<u32, Failure>) -> Result<u32, Failure> {
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    result
}

fn capped(clock: &ManualClock) -> Larder {
    let memory = Memory::builder().capacity(100).clock(clock.clock()).build();
    Larder::builder().clock(clock.clock()).max_loads(1).max_background(2).backend(Remote::new(memory)).build()
}

/// A load dropped after any number of polls leaves nothing behind: no flight, no place, and the next one is led at once.
#[tokio::test(flavor = "current_thread")]
async fn given_up_after_any_number_of_polls() {
    for variant in 0..4 {
        for stale in [false, true] {
            for polls in 0..40 {
                let (clock, what) = (ManualClock::new(), format!("{variant} {stale} {polls}"));
                let cache = capped(&clock);
                if stale {
                    cache.set("k", 1_u32, policy(variant)).await.expect("stored");
                    clock.advance(15 * SECOND);
                }
                let mut load = Box::pin(cache.try_get_or_load("k", policy(variant), || slow(Ok(2))));
                let done = (0..polls).any(|_| poll(&mut load));
                drop(load);
                if done && stale {
                    settle().await;
                }
                in_time(async {
                    while cache.health().await.expect("told").in_flight > 0 {
                        settle().await
                    }
                })
                .await;
                let other = in_time(cache.try_get_or_load("other", policy(variant), || slow(Ok(3)))).await;
                assert_eq!(*other.expect("loaded"), 3, "{what}");
                let value = in_time(cache.try_get_or_load("k", policy(variant), || slow(Ok(4))))
                    .await
                    .expect("a value");
                assert!((1..=4).contains(&*value), "{what}");
                settle().await;
                let (health, stats) = (cache.health().await.expect("told"), cache.stats());
                assert_eq!((health.in_flight, health.background), (0, 0), "{what}");
                let reads = stats.hits + stats.misses + stats.stale_hits;
                assert!((2..=3).contains(&reads), "{what}: {stats:?}");
            }
        }
    }
}

/// Every read is one of three, once, whatever becomes of it.
#[tokio::test(flavor = "current_thread")]
async fn each_read_is_counted_once() {
    for subject in subjects() {
        let (cache, clock, name) = (subject.cache, subject.clock, subject.name);
        let mut reads = 0;
        for round in 0..400 {
            let variant = fastrand_like(round, 4);
            let result = if fastrand_like(round * 7 + 1, 3) == 0 { Err(Failure::Source) } else { Ok(round) };
            let before = cache.stats();
            let own = match fastrand_like(round * 5 + 3, 6) {
                0 => {
                    let _ = cache.try_get_or_load("k", policy(variant as usize), || slow(result)).await;
                    1
                }
                1 => {
                    let loader = |_: larder::Load<u32>| async { slow(result).await.map(Loaded::new) };
                    let _ = cache
                        .load_with::<u32, Failure, _, _>("k", policy(variant as usize).in_caller(), loader)
                        .await;
                    1
                }
                2 => {
                    let policy = Policy::ttl(10 * SECOND).sie(MINUTE).soft_timeout(SECOND);
                    let _ = cache.try_get_or_compute("k", policy, || result);
                    1
                }
                3 => {
                    let both = tokio::join!(
                        cache.try_get_or_load("k", policy(1), || slow(Ok(round))),
                        cache.try_get_or_load("k", policy(1), || slow(Ok(round))),
                    );
                    drop(both);
                    2
                }
                // Of a policy that serves nothing stale: see the next test.
                4 => {
                    let loader = |keys: Vec<&'static str>| async move {
                        slow(Ok(1))
                            .await
                            .map(|one| keys.into_iter().map(|key| (key, one)).collect::<Vec<_>>())
                    };
                    let _ = cache.load_many(["m", "n"], policy(0), loader).await;
                    2
                }
                _ => {
                    let _ = cache.try_get_or_load("", policy(0), || slow(result)).await;
                    1
                }
            };
            settle().await;
            reads += own;
            let stats = cache.stats();
            let counted = stats.hits + stats.misses + stats.stale_hits;
            let was = before.hits + before.misses + before.stale_hits;
            assert_eq!(counted - was, own, "{name}, round {round}: {before:?} {stats:?}");
            assert_eq!(counted, reads);
            clock.advance(Duration::from_secs(u64::from(fastrand_like(round * 3, 9))));
        }
    }
}

fn fastrand_like(seed: u32, below: u32) -> u32 {
    (seed.wrapping_mul(2_654_435_761) >> 13) % below
}

/// A batch that replaces what is stale has read it, and found nothing that it may serve.
#[tokio::test(flavor = "current_thread")]
async fn a_stale_value_that_a_batch_replaces_is_counted() {
    let clock = ManualClock::new();
    let cache = capped(&clock);
    cache.set("k", 1_u32, policy(3)).await.expect("stored");
    clock.advance(15 * SECOND);
    let loader = |keys: Vec<&'static str>| async move { slow(Ok(2)).await.map(|it| vec![(keys[0], it)]) };
    let values = cache.load_many(["k"], policy(3), loader).await.expect("loaded");
    assert_eq!(values[0].as_deref(), Some(&2));
    let stats = cache.stats();
    assert_eq!(stats.hits + stats.misses + stats.stale_hits, 1, "{stats:?}");
}

/// Given up while it waits for a place: in time, counted once, and the place goes to whoever comes.
#[tokio::test(flavor = "current_thread")]
async fn a_hard_timeout_while_it_waits_for_a_place() {
    let clock = ManualClock::new();
    let cache = capped(&clock);
    let holder = || std::future::pending::<Result<u32, Failure>>();
    let mut first = Box::pin(cache.try_get_or_load("a", policy(0), holder));
    for _ in 0..20 {
        assert!(!poll(&mut first));
    }
    let called = AtomicU32::new(0);
    let mut second = Box::pin(cache.try_get_or_load("b", policy(3), || {
        called.fetch_add(1, SeqCst);
        slow(Ok(1))
    }));
    for _ in 0..20 {
        assert!(!poll(&mut second));
    }
    let before = cache.stats();
    clock.advance(29 * SECOND);
    assert!(!poll(&mut second));
    clock.advance(2 * SECOND);
    let late = in_time(second).await.expect_err("too late");
    let stats = cache.stats();
    assert_eq!((late, called.load(SeqCst)), (Failure::Timeout, 0));
    assert_eq!((stats.loads, stats.load_failures), (before.loads, before.load_failures + 1));
    assert_eq!(in_time(first).await.expect_err("too late"), Failure::Timeout);
    assert_eq!(*in_time(cache.try_get_or_load("c", policy(0), || slow(Ok(1)))).await.expect("loaded"), 1);
}

/// Panics in the closure and in a poll, with and without something stale, under each policy: the next one leads.
#[tokio::test(flavor = "current_thread")]
async fn panics_leave_nothing_behind() {
    for variant in 0..4 {
        for stale in [false, true] {
            for in_closure in [false, true] {
                let (clock, what) = (ManualClock::new(), format!("{variant} {stale} {in_closure}"));
                let cache = capped(&clock);
                if stale {
                    cache.set("k", 1_u32, policy(variant)).await.expect("stored");
                    clock.advance(15 * SECOND);
                }
                let detaches = stale && matches!(variant, 1 | 2);
                let its = cache.clone();
                let panics = tokio::spawn(async move {
                    let closure = move || {
                        assert!(!in_closure, "in the closure");
                        async move {
                            tokio::task::yield_now().await;
                            panic!("in a poll")
                        }
                    };
                    its.try_get_or_load::<u32, Failure, _, _>("k", policy(variant), closure).await.is_ok()
                });
                let served = in_time(panics).await.unwrap_or(false);
                settle().await;
                let (health, stats) = (cache.health().await.expect("told"), cache.stats());
                assert_eq!((health.in_flight, health.background), (0, 0), "{what}");
                assert_eq!(served, stale && variant == 1 && !in_closure, "{what}");
                if !(detaches && in_closure) {
                    assert_eq!(stats.load_failures, 1, "{what}: a panic is a failed load: {stats:?}");
                }
                let value = in_time(cache.try_get_or_load("other", policy(variant), || slow(Ok(4)))).await;
                assert_eq!(*value.expect("the place is free"), 4, "{what}");
            }
        }
    }
}

/// The same panic as in the caller: of the closure of a load that may go into the background.
#[tokio::test(flavor = "current_thread")]
async fn a_closure_that_panics_before_it_leaves_is_a_failed_load() {
    let clock = ManualClock::new();
    let cache = capped(&clock);
    cache.set("k", 1_u32, policy(1)).await.expect("stored");
    clock.advance(15 * SECOND);
    let its = cache.clone();
    let panics = tokio::spawn(async move {
        let closure = || -> std::future::Ready<Result<u32, Failure>> { panic!("in the closure") };
        its.try_get_or_load("k", policy(1), closure).await.is_ok()
    });
    in_time(panics).await.expect_err("it panics");
    assert_eq!(cache.stats().load_failures, 1, "{:?}", cache.stats());
}

/// What loads in its caller needs no place in the background, and is refreshed also where there is none.
#[tokio::test(flavor = "current_thread")]
async fn in_the_caller_without_a_place_in_the_background() {
    let clock = ManualClock::new();
    let memory = Memory::builder().capacity(100).clock(clock.clock()).build();
    let cache = Larder::builder().clock(clock.clock()).max_background(0).memory(memory).build();
    let policy = || Policy::ttl(10 * SECOND).swr(MINUTE);
    cache.set("k", 1_u32, policy()).await.expect("stored");
    clock.advance(15 * SECOND);
    assert_eq!(*cache.get_or_load("k", policy(), || async { 2_u32 }).await, 1, "stays stale");
    assert_eq!(*cache.get_or_load("k", policy().in_caller(), || async { 3_u32 }).await, 3, "loads here");
}

/// A background load that is dropped before its first poll.
#[test]
fn a_background_load_that_never_runs() {
    let clock = ManualClock::new();
    let cache = capped(&clock);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { cache.set("k", 1_u32, policy(1)).await }).expect("stored");
    clock.advance(15 * SECOND);
    let stale = runtime.block_on(async {
        let mut load = pin!(cache.try_get_or_load("k", policy(1), || slow(Ok(2))));
        loop {
            if let std::task::Poll::Ready(value) = load.as_mut().poll(&mut Context::from_waker(Waker::noop()))
            {
                break value;
            }
        }
    });
    assert_eq!(*stale.expect("served"), 1);
    drop(runtime);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let health = cache.health().await.expect("told");
        assert_eq!((health.in_flight, health.background), (0, 0));
        in_time(cache.try_get_or_load("k", policy(1), || slow(Ok(3)))).await.expect("served");
        settle().await;
        assert_eq!(*in_time(cache.try_get_or_load("k", policy(1), || slow(Ok(4)))).await.expect("served"), 3);
    });
}

/// Somebody who followed, whose stale value expired meanwhile, and who gets the leader's error.
#[tokio::test(flavor = "current_thread")]
async fn a_follower_who_gets_an_error_is_counted() {
    let clock = ManualClock::new();
    let cache = capped(&clock);
    let policy = || Policy::ttl(10 * SECOND).sie(20 * SECOND);
    cache.set("k", 1_u32, policy()).await.expect("stored");
    clock.advance(15 * SECOND);
    let late = std::sync::Arc::new(tokio::sync::Notify::new());
    let waits = || {
        let late = late.clone();
        async move {
            late.notified().await;
            Err::<u32, _>(Failure::Source)
        }
    };
    let mut leader = Box::pin(cache.try_get_or_load_shared("k", policy(), waits));
    let mut follower = Box::pin(cache.try_get_or_load_shared("k", policy(), waits));
    for _ in 0..20 {
        assert!(!poll(&mut leader));
    }
    for _ in 0..20 {
        assert!(!poll(&mut follower));
    }
    clock.advance(30 * SECOND);
    late.notify_one();
    let both = in_time(async { tokio::join!(leader, follower) }).await;
    assert_eq!(both, (Err(Failure::Source), Err(Failure::Source)));
    let stats = cache.stats();
    assert_eq!(stats.hits + stats.misses + stats.stale_hits, 2, "{stats:?}");
}
