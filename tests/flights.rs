//! G5 in one process: one load per key, whatever happens to the one who loads.

mod common;

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::time::Duration;

use common::{Subject, subjects};
use larder::{Larder, ManualClock, Memory, Policy};
use tokio::sync::Barrier;

const TTL: Duration = Duration::from_secs(60);

/// Polls a future once and forgets about it.
fn poll_once(future: impl Future) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

#[tokio::test]
async fn callers_share_one_load_and_its_arc() {
    for Subject { name, cache, .. } in subjects() {
        let loads = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let (cache, loads) = (cache.clone(), loads.clone());
                tokio::spawn(async move {
                    let loader = || async {
                        loads.fetch_add(1, SeqCst);
                        tokio::task::yield_now().await;
                        vec![7_u64]
                    };
                    cache.get_or_load("k", TTL, loader).await
                })
            })
            .collect();
        let mut values = Vec::new();
        for caller in callers {
            values.push(caller.await.expect("no panic"));
        }
        assert_eq!(loads.load(SeqCst), 1, "{name}");
        assert!(values.iter().all(|value| **value == [7]), "{name}");
        let shared = values.iter().filter(|value| Arc::ptr_eq(value, &values[0])).count();
        assert!(name.starts_with("remote") || shared == 100, "{name}: {shared}");
        assert_eq!(cache.stats().loads, 1, "{name}");
    }
}

#[tokio::test]
async fn a_failed_load_is_shared_where_the_error_is_clone() {
    for Subject { name, cache, .. } in subjects() {
        let (loads, barrier) = (AtomicUsize::new(0), Barrier::new(10));
        let caller = || async {
            barrier.wait().await;
            let loader = || async {
                loads.fetch_add(1, SeqCst);
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                Err::<u64, _>("down".to_owned())
            };
            cache.try_get_or_load_shared("k", TTL, loader).await
        };
        let (a, b, c, d, e, f, g, h, i, j) = tokio::join!(
            caller(),
            caller(),
            caller(),
            caller(),
            caller(),
            caller(),
            caller(),
            caller(),
            caller(),
            caller()
        );
        for result in [a, b, c, d, e, f, g, h, i, j] {
            assert_eq!(result, Err("down".to_owned()));
        }
        assert_eq!(loads.load(SeqCst), 1, "{name}");
    }
}

#[tokio::test]
async fn a_failed_load_is_tried_again_by_a_few_at_a_time() {
    let cache = Larder::memory(10);
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let (cache, now, most) = (cache.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                let loader = || async {
                    most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                    tokio::task::yield_now().await;
                    now.fetch_sub(1, SeqCst);
                    // Not `Clone`.
                    Err::<u64, _>(std::io::Error::other("down"))
                };
                cache.try_get_or_load("k", TTL, loader).await
            })
        })
        .collect();
    for caller in callers {
        assert!(caller.await.expect("no panic").is_err());
    }
    assert!((2..=8).contains(&most.load(SeqCst)), "a few, never the herd: {}", most.load(SeqCst));
    let stats = cache.stats();
    assert_eq!((stats.misses, stats.loads, stats.load_failures), (50, 50, 50), "each caller missed once");
}

#[tokio::test]
async fn a_cancelled_leader_is_replaced() {
    for Subject { name, cache, .. } in subjects() {
        let leader = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get_or_load("k", TTL, pending::<u64>).await }
        });
        while cache.stats().loads == 0 {
            tokio::task::yield_now().await;
        }
        let follower = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get_or_load("k", TTL, || async { 2_u64 }).await }
        });
        while cache.stats().coalesced == 0 {
            tokio::task::yield_now().await;
        }
        leader.abort();
        assert_eq!(*follower.await.expect("no panic"), 2, "{name}");
        assert_eq!(cache.stats().load_failures, 0, "{name}: to be cancelled is no failure");
    }
}

#[tokio::test]
async fn a_panicking_leader_is_replaced() {
    for Subject { name, cache, .. } in subjects() {
        let leader = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get_or_load::<u64, _, _>("k", TTL, || async { panic!("as the test wants") }).await }
        });
        assert!(leader.await.expect_err("panics").is_panic());
        assert_eq!(
            (cache.stats().loads, cache.stats().load_failures),
            (1, 1),
            "{name}: a panic is a failure"
        );
        assert_eq!(*cache.get_or_load("k", TTL, || async { 2_u64 }).await, 2, "{name}");
        assert_eq!(*cache.get_or_compute("k", TTL, || 3_u64), 2, "{name}");
    }
}

#[tokio::test]
async fn a_leader_that_is_never_polled_again_is_replaced_within_three_seconds() {
    for Subject { name, cache, clock } in subjects() {
        let mut forgotten = Box::pin(cache.get_or_load("k", TTL, pending::<u64>));
        while cache.stats().loads == 0 {
            let _ = forgotten.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        let follower = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get_or_load("k", TTL, || async { 2_u64 }).await }
        });
        while cache.stats().coalesced == 0 {
            tokio::task::yield_now().await;
        }
        let mut waited = Duration::ZERO;
        while !follower.is_finished() && waited < Duration::from_secs(10) {
            clock.advance(Duration::from_millis(100));
            waited += Duration::from_millis(100);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
        assert!(waited <= Duration::from_secs(3), "{name}: {waited:?}");
        assert_eq!(*follower.await.expect("no panic"), 2, "{name}");
        drop(forgotten);
        assert_eq!(*cache.get::<u64>("k").await.expect("readable").expect("there"), 2, "{name}");
    }
}

#[tokio::test]
async fn a_leader_that_was_given_up_publishes_nothing() {
    for Subject { name, cache, clock } in subjects() {
        let (finish, finished) = tokio::sync::oneshot::channel();
        let loader = || async { finished.await.unwrap_or(0_u64) };
        let mut forgotten = Box::pin(cache.get_or_load("k", TTL, loader));
        while cache.stats().loads == 0 {
            let _ = forgotten.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        let follower = tokio::spawn({
            let cache = cache.clone();
            async move { cache.try_get_or_load("k", TTL, || async { Err::<u64, _>("down") }).await }
        });
        while !follower.is_finished() {
            clock.advance(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
        assert_eq!(follower.await.expect("no panic").as_deref(), Err(&"down"), "{name}");
        finish.send(1_u64).expect("the forgotten load still waits");
        assert_eq!(*forgotten.await, 1, "{name}: its own caller gets the value");
        assert!(cache.get::<u64>("k").await.expect("readable").is_none(), "{name}: its round is over");
    }
}

#[tokio::test]
async fn a_slow_leader_that_is_polled_keeps_its_flight() {
    for Subject { name, cache, clock } in subjects() {
        let (finish, finished) = tokio::sync::oneshot::channel();
        let leader = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get_or_load("k", TTL, || async { finished.await.unwrap_or(0_u64) }).await }
        });
        while cache.stats().loads == 0 {
            tokio::task::yield_now().await;
        }
        let follower = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get_or_load("k", TTL, || async { 2_u64 }).await }
        });
        for _ in 0..200 {
            clock.advance(Duration::from_millis(100));
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        }
        finish.send(1_u64).expect("the leader waits");
        assert_eq!((*leader.await.expect("ok"), *follower.await.expect("ok")), (1, 1), "{name}");
        assert_eq!(cache.stats().loads, 1, "{name}");
    }
}

#[tokio::test]
async fn a_load_that_asks_for_its_own_key_runs_uncoalesced() {
    for Subject { name, cache, .. } in subjects() {
        let inner = cache.clone();
        let outer = cache.get_or_load("k", TTL, || async move {
            1 + *inner.get_or_load("k", TTL, || async { 1_u64 }).await
        });
        assert_eq!(*outer.await, 2, "{name}");
        let inner = cache.clone();
        let outer = cache.get_or_compute("s", TTL, || 1 + *inner.get_or_compute("s", TTL, || 1_u64));
        assert_eq!(*outer, 2, "{name}");
    }
}

#[tokio::test]
async fn loads_that_wait_for_each_other_do_not_deadlock() {
    for Subject { name, cache, .. } in subjects() {
        let barrier = Arc::new(Barrier::new(2));
        let load = |mine: &'static str, other: &'static str| {
            let (cache, barrier) = (cache.clone(), barrier.clone());
            tokio::spawn(async move {
                let inner = cache.clone();
                let loader = || async move {
                    barrier.wait().await;
                    1 + *inner.get_or_load(other, TTL, || async { 1_u64 }).await
                };
                *cache.get_or_load(mine, TTL, loader).await
            })
        };
        let (a, b) = (load("a", "b"), load("b", "a"));
        let both = async { (a.await.expect("no panic"), b.await.expect("no panic")) };
        let (a, b) = tokio::time::timeout(Duration::from_secs(5), both).await.expect("no deadlock");
        assert!((2..=3).contains(&a) && (2..=3).contains(&b), "{name}: {a} {b}");
    }
}

/// A loader that waits for two loads at once, one of which waits for its own.
#[tokio::test]
async fn joined_loads_do_not_hide_a_circle() {
    for Subject { name, cache, .. } in subjects() {
        let (inner, barrier) = (cache.clone(), Arc::new(Barrier::new(2)));
        let c = tokio::spawn({
            let cache = cache.clone();
            async move {
                *cache
                    .get_or_load("c", TTL, || async {
                        for _ in 0..200 {
                            tokio::task::yield_now().await;
                        }
                        1_u64
                    })
                    .await
            }
        });
        let a = {
            let (cache, barrier) = (cache.clone(), barrier.clone());
            tokio::spawn(async move {
                let inner = cache.clone();
                let loader = || async move {
                    barrier.wait().await;
                    let (b, c) = tokio::join!(
                        inner.get_or_load("b", TTL, || async { 1_u64 }),
                        inner.get_or_load("c", TTL, || async { 1_u64 })
                    );
                    *b + *c
                };
                *cache.get_or_load("a", TTL, loader).await
            })
        };
        let b = tokio::spawn(async move {
            let cache = inner.clone();
            let loader = || async move {
                barrier.wait().await;
                1 + *inner.get_or_load("a", TTL, || async { 1_u64 }).await
            };
            *cache.get_or_load("b", TTL, loader).await
        });
        let all = async { (a.await.is_ok(), b.await.is_ok(), c.await.is_ok()) };
        let all = tokio::time::timeout(Duration::from_secs(5), all).await.expect("no deadlock");
        assert_eq!(all, (true, true, true), "{name}");
    }
}

#[test]
fn a_synchronous_caller_does_not_wait_for_an_asynchronous_load_that_needs_its_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for Subject { name, cache, .. } in subjects() {
        runtime.block_on(async {
            let mut leader = pin!(cache.get_or_load("k", TTL, pending::<u64>));
            while cache.stats().loads == 0 {
                let _ = leader.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            assert_eq!(*cache.get_or_compute("k", TTL, || 2_u64), 2, "{name}");
        });
    }
}

#[test]
fn threads_share_one_computation() {
    let cache = Larder::memory(10);
    let loads = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let value = cache.get_or_compute("k", TTL, || {
                    loads.fetch_add(1, SeqCst);
                    while cache.stats().coalesced < 19 {
                        std::thread::yield_now();
                    }
                    5_u64
                });
                assert_eq!(*value, 5);
            });
        }
    });
    assert_eq!(loads.load(SeqCst), 1);
}

#[test]
fn a_panicking_computation_does_not_poison_those_who_wait() {
    let cache = Larder::memory(10);
    std::thread::scope(|scope| {
        let leader = scope.spawn(|| {
            cache.get_or_compute::<u64, _, _>("k", TTL, || {
                while cache.stats().coalesced == 0 {
                    std::thread::yield_now();
                }
                panic!("as the test wants")
            })
        });
        while cache.stats().loads == 0 {
            std::thread::yield_now();
        }
        let follower = scope.spawn(|| *cache.get_or_compute("k", TTL, || 2_u64));
        assert!(leader.join().is_err());
        assert_eq!(cache.stats().load_failures, 1);
        assert_eq!(follower.join().expect("no panic"), 2);
    });
}

#[tokio::test]
async fn two_caches_never_share_a_flight() {
    let memory = Memory::builder().build();
    let [a, b] = ["a", "b"].map(|name| Larder::builder().namespace(name).memory(memory.clone()).build());
    poll_once(a.get_or_load("k", TTL, pending::<u64>));
    let mut held = Box::pin(a.get_or_load("k", TTL, pending::<u64>));
    let _ = held.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(*b.get_or_load("k", TTL, || async { 2_u64 }).await, 2);
}

#[tokio::test]
async fn a_full_flight_table_loads_uncoalesced() {
    let cache = Larder::builder().max_flights(1).build();
    let mut held = Box::pin(cache.get_or_load("a", TTL, pending::<u64>));
    let _ = held.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let loads = AtomicUsize::new(0);
    let load = || {
        cache.get_or_load("b", Policy::ttl(TTL).in_caller(), || async {
            loads.fetch_add(1, SeqCst);
            tokio::task::yield_now().await;
            2_u64
        })
    };
    let (first, second) = tokio::join!(load(), load());
    assert_eq!((*first, *second, loads.load(SeqCst)), (2, 2, 2));
    assert_eq!(*cache.get::<u64>("b").await.expect("readable").expect("published all the same"), 2);
}

/// There is no flight to refresh it in, and it is within its window all the same.
#[tokio::test]
async fn a_full_flight_table_makes_nobody_wait_within_swr() {
    let clock = ManualClock::new();
    let cache = Larder::builder().clock(clock.clock()).max_flights(1).build();
    let policy = Policy::ttl(TTL).swr(TTL);
    cache.set("b", 1_u64, &policy).await.expect("set");
    clock.advance(TTL);
    let mut held = Box::pin(cache.get_or_load("a", TTL, pending::<u64>));
    let _ = held.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(*cache.get_or_load("b", &policy, || async { 2_u64 }).await, 1);
    assert_eq!((cache.stats().stale_hits, cache.stats().misses), (1, 1));
    drop(held);
    assert_eq!(*cache.get_or_load("b", &policy, || async { 3_u64 }).await, 1);
    cache.settle().await.expect("settled");
    assert_eq!(
        *cache.get_or_load("b", &policy, || async { 4_u64 }).await,
        3,
        "refreshed when there was room"
    );
}
