//! What a review of loads broke, or tried to break, each as it was found.

#![allow(clippy::unwrap_used, clippy::redundant_closure)]

mod common;
use common::{Failure, MINUTE, SECOND, Subject, in_time, settle, subjects};
use larder::{Larder, Load, Loaded, Policy, key};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

const KEY: &str = "k";

// 1 G1: late tag invalidated during flight; later caller joins
#[tokio::test]
async fn b01_late_tag_flight_joined_after_invalidation() {
    for Subject { name, cache, .. } in subjects() {
        let (finish, finished) = oneshot::channel::<()>();
        let c = cache.clone();
        let leader = tokio::spawn(async move {
            c.load_with(KEY, Policy::ttl(MINUTE), move |_| async move {
                finished.await.unwrap();
                Ok::<_, Failure>(Loaded::new(1_u32).tags(["late"]))
            })
            .await
            .map(|v| *v)
        });
        settle().await;
        cache.invalidate_tag("late").await.unwrap();
        let c = cache.clone();
        let after = tokio::spawn(async move {
            c.load_with(KEY, Policy::ttl(MINUTE), move |_| async move {
                Ok::<_, Failure>(Loaded::new(2_u32).tags(["late"]))
            })
            .await
            .map(|v| *v)
        });
        settle().await;
        finish.send(()).unwrap();
        assert_eq!(in_time(leader).await.unwrap(), Ok(1));
        assert_eq!(
            in_time(after).await.unwrap(),
            Ok(2),
            "{name}: G1: joined a load that began before the invalidation"
        );
    }
}

// 2 G1: NotModified drops the late tags
#[tokio::test]
async fn b02_not_modified_loses_late_tags() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(MINUTE);
        cache
            .load_with(KEY, policy.clone(), async |_: Load<u32>| {
                Ok::<_, Failure>(Loaded::new(7_u32).tags(["late"]))
            })
            .await
            .unwrap();
        clock.advance(2 * SECOND);
        cache
            .load_with(KEY, policy.clone(), async |l: Load<u32>| {
                Ok::<_, Failure>(l.stale().unwrap().not_modified())
            })
            .await
            .unwrap();
        cache.invalidate_tag("late").await.unwrap();
        assert_eq!(
            cache.get::<u32>(KEY).await.unwrap().as_deref(),
            None,
            "{name}: G1: served after its tag was invalidated"
        );
    }
}
#[tokio::test]
async fn b03_not_modified_tag_invalidated_in_flight() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(MINUTE);
        cache.set(KEY, 7_u32, policy.clone().tags(["t"])).await.unwrap();
        clock.advance(2 * SECOND);
        let other = cache.clone();
        cache
            .load_with(KEY, policy.clone(), async move |l: Load<u32>| {
                other.invalidate_tag("t").await.unwrap();
                Ok::<_, Failure>(l.stale().unwrap().not_modified())
            })
            .await
            .unwrap();
        assert_eq!(cache.get::<u32>(KEY).await.unwrap().as_deref(), None, "{name}: G1");
    }
}

// 4 deadlock: max_loads(1), nested load follows a flight whose leader waits for a permit
#[tokio::test]
async fn b04_gate_nested_follow_deadlock() {
    let cache = Larder::builder().max_loads(1).build();
    let (go, gone) = oneshot::channel::<()>();
    let c = cache.clone();
    let a = tokio::spawn(async move {
        let inner = c.clone();
        *c.get_or_load("a", MINUTE, || async move {
            gone.await.unwrap();
            *inner.get_or_load("b", MINUTE, async || 2_u32).await
        })
        .await
    });
    settle().await;
    let c = cache.clone();
    let b = tokio::spawn(async move { *c.get_or_load("b", MINUTE, async || 2_u32).await });
    settle().await;
    go.send(()).unwrap();
    in_time(async { (a.await.unwrap(), b.await.unwrap()) }).await;
}

// 5 deadlock: blocking load waits for a permit held by a task of its own thread
#[test]
fn b05_gate_blocking_deadlock() {
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        rt.block_on(async {
            let cache = Larder::builder().max_loads(1).build();
            let c = cache.clone();
            let (go, gone) = oneshot::channel::<()>();
            let a = tokio::spawn(async move {
                *c.get_or_load("a", MINUTE, || async move {
                    gone.await.unwrap();
                    1_u32
                })
                .await
            });
            settle().await;
            let v = *cache.get_or_compute("b", MINUTE, || 2_u32);
            go.send(()).unwrap();
            a.await.unwrap();
            done.send(v).unwrap();
        });
    });
    assert_eq!(wait.recv_timeout(Duration::from_secs(8)), Ok(2), "HANG");
}

// 6 load_many ignores max_loads
#[tokio::test]
async fn b06_load_many_ignores_max_loads() {
    let cache = Larder::builder().max_loads(2).build();
    let (running, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let tasks: Vec<_> = (0..10)
        .map(|i| {
            let (cache, running, most) = (cache.clone(), running.clone(), most.clone());
            tokio::spawn(async move {
                cache
                    .load_many([key!("{}", i)], MINUTE, |m: Vec<_>| {
                        let (running, most) = (running.clone(), most.clone());
                        async move {
                            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            settle().await;
                            running.fetch_sub(1, Ordering::SeqCst);
                            Ok::<_, Failure>(m.into_iter().map(|k| (k, 1_u32)).collect::<Vec<_>>())
                        }
                    })
                    .await
                    .unwrap();
            })
        })
        .collect();
    for t in tasks {
        in_time(t).await.unwrap();
    }
    assert!(most.load(Ordering::SeqCst) <= 2, "{} at once", most.load(Ordering::SeqCst));
}

// 7 failed batch not counted, not throttled
#[tokio::test]
async fn b07_failed_batch_counted_and_throttled() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(MINUTE);
        cache.set(KEY, 1_u32, policy.clone()).await.unwrap();
        clock.advance(2 * SECOND);
        let calls = AtomicU32::new(0);
        for _ in 0..3 {
            let v = cache
                .load_many([KEY], policy.clone(), |_| {
                    calls.fetch_add(1, Ordering::SeqCst);
                    async { Err::<Vec<(&str, u32)>, _>(Failure::Source) }
                })
                .await;
            assert_eq!(v.unwrap()[0].as_deref(), Some(&1));
        }
        let n = calls.load(Ordering::SeqCst);
        let s = cache.stats();
        assert!(n == 1 && s.load_failures == 1, "{name}: calls {n}, {s:?}");
    }
}

// 8 SIE past its window in load_many
#[tokio::test]
async fn b08_load_many_sie_past_window() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(10 * SECOND);
        cache.set(KEY, 1_u32, policy.clone()).await.unwrap();
        clock.advance(2 * SECOND);
        let v = cache
            .load_many([KEY], policy.clone(), |_| {
                let clock = clock.clone();
                async move {
                    clock.advance(MINUTE);
                    Err::<Vec<(&str, u32)>, _>(Failure::Source)
                }
            })
            .await;
        assert!(v.is_err(), "{name}: served {v:?} 49 s past its end");
    }
}

// 9 double hit count in load_many with max_age
#[tokio::test]
async fn b09_hits_counted_twice() {
    for Subject { name, cache, .. } in subjects() {
        cache.set(KEY, 1_u32, MINUTE).await.unwrap();
        cache
            .load_many([KEY], Policy::ttl(MINUTE).max_age(MINUTE), |m: Vec<&str>| async move {
                Ok::<_, Failure>(m.into_iter().map(|k| (k.to_owned(), 1_u32)).collect::<Vec<_>>())
            })
            .await
            .unwrap();
        assert_eq!(cache.stats().hits, 1, "{name}");
    }
}

// 10 version 0 -> 1
#[tokio::test]
async fn b10_version_0_to_1() {
    for Subject { name, cache, .. } in subjects() {
        cache.get_or_load(KEY, Policy::ttl(MINUTE), async || 1_u32).await;
        assert_eq!(
            *cache.get_or_load(KEY, Policy::ttl(MINUTE).version(1), async || 2_u32).await,
            2,
            "{name}: of version 0"
        );
    }
}

// 11 panic: Policy::from(limited) keeps the limit
#[tokio::test]
async fn b11_policy_from_limited_panics() {
    for Subject { name, cache, clock } in subjects() {
        let policy: Policy = Policy::ttl(MINUTE).hard_timeout(SECOND).into();
        let c = cache.clone();
        let t = tokio::spawn(async move {
            c.get_or_load(KEY, policy, async || {
                settle().await;
                settle().await;
                1_u32
            })
            .await
        });
        settle().await;
        clock.advance(2 * SECOND);
        let r = in_time(t).await;
        assert!(r.is_ok(), "{name}: {r:?}");
    }
}

// 12 herd after failed batch
#[tokio::test]
async fn b12_load_many_herd() {
    for Subject { name, cache, .. } in subjects() {
        let (running, most, total) =
            (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (cache, running, most, total) =
                    (cache.clone(), running.clone(), most.clone(), total.clone());
                tokio::spawn(async move {
                    cache
                        .load_many([KEY], MINUTE, |_: Vec<_>| {
                            let (running, most, total) = (running.clone(), most.clone(), total.clone());
                            async move {
                                total.fetch_add(1, Ordering::SeqCst);
                                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                                settle().await;
                                running.fetch_sub(1, Ordering::SeqCst);
                                Err::<Vec<(&str, u32)>, _>(Failure::Source)
                            }
                        })
                        .await
                        .map(|v| v[0].as_deref().copied())
                })
            })
            .collect();
        let mut oks = 0;
        for t in tasks {
            if in_time(t).await.unwrap().is_ok() {
                oks += 1
            }
        }
        assert!(
            // Eight beside each leader, and one leads while those beside the last one still load.
            most.load(Ordering::SeqCst) <= 20 && oks == 0,
            "{name}: {} at once, {} in all, {oks} were told Ok(None)",
            most.load(Ordering::SeqCst),
            total.load(Ordering::SeqCst)
        );
    }
}

// 13 follower hard timeout in load_many
#[tokio::test]
async fn b13_load_many_follower_hard_timeout() {
    for Subject { name, cache, clock } in subjects() {
        let c = cache.clone();
        let leader =
            tokio::spawn(async move { c.get_or_load(KEY, MINUTE, || std::future::pending::<u32>()).await });
        settle().await;
        let c = cache.clone();
        let calls = Arc::new(AtomicU32::new(0));
        let calls2 = calls.clone();
        let batch = tokio::spawn(async move {
            c.load_many([KEY], Policy::ttl(MINUTE).hard_timeout(SECOND), move |_: Vec<_>| {
                calls2.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<Result<Vec<(&'static str, u32)>, Failure>>()
            })
            .await
            .map(|_| ())
        });
        settle().await;
        clock.advance(SECOND);
        settle().await;
        settle().await;
        let done = batch.is_finished();
        leader.abort();
        clock.advance(SECOND);
        let r = in_time(batch).await.unwrap();
        assert!(
            done && calls.load(Ordering::SeqCst) == 0,
            "{name}: not over at its hard timeout; loads run after it: {}; {r:?}",
            calls.load(Ordering::SeqCst)
        );
    }
}

// 14 batch given up by followers publishes all the same
#[tokio::test]
async fn b14_abandoned_batch_publishes() {
    for Subject { name, cache, clock } in subjects() {
        let (fin, fd) = oneshot::channel::<()>();
        let mut fd = Some(fd);
        let mut batch = Box::pin(cache.load_many(["k"], MINUTE, move |_| {
            let fd = fd.take().unwrap();
            async move {
                fd.await.unwrap();
                Ok::<_, Failure>(vec![("k", 1_u32)])
            }
        }));
        for _ in 0..20 {
            assert!(futures_poll(batch.as_mut()).await.is_none());
            tokio::task::yield_now().await;
        }
        let c = cache.clone();
        let follower = tokio::spawn(async move { *c.get_or_load("k", MINUTE, async || 2_u32).await });
        settle().await;
        for _ in 0..10 {
            clock.advance(Duration::from_millis(500));
            settle().await;
        }
        assert_eq!(in_time(follower).await.unwrap(), 2);
        fin.send(()).unwrap();
        in_time(batch).await.unwrap();
        assert_eq!(
            cache.get::<u32>("k").await.unwrap().as_deref(),
            Some(&2),
            "{name}: a second publication, of an older load"
        );
    }
}
async fn futures_poll<F: Future>(mut f: std::pin::Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(move |cx| {
        std::task::Poll::Ready(match f.as_mut().poll(cx) {
            std::task::Poll::Ready(v) => Some(v),
            _ => None,
        })
    })
    .await
}

// 15 a counter by load, with tags / swr
#[tokio::test]
async fn b15_loaded_counter_with_tags() {
    for Subject { name, cache, clock } in subjects() {
        cache.get_or_load(KEY, Policy::ttl(MINUTE).tags(["t"]), async || 1_i64).await;
        cache.invalidate_tag("t").await.unwrap();
        assert_eq!(cache.get::<i64>(KEY).await.unwrap(), None, "{name}: tag");
        cache.get_or_load("s", Policy::ttl(SECOND).swr(MINUTE), async || 1_i64).await;
        clock.advance(2 * SECOND);
        assert!(cache.lookup::<i64>("s").await.unwrap().is_none(), "{name}: a counter is never stale");
        cache.get_or_load("i", Policy::ttl(MINUTE).tags(["t"]), async || 1_i64).await;
        assert_eq!(cache.stats().errors, 3, "{name}: none of the three was stored");
        assert_eq!(cache.incr("i", 1).await.unwrap(), 1, "{name}: so it begins anew");
        cache.invalidate_tag("t").await.unwrap();
        assert_eq!(cache.get::<i64>("i").await.unwrap().as_deref(), Some(&1), "{name}: it bears no tag");
    }
}

// 16 refresh_ahead of a failing source: a load per read?
#[tokio::test]
async fn b16_refresh_ahead_failing_is_throttled() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(100 * SECOND).refresh_ahead(0.5);
        cache.set(KEY, 1_u32, &policy).await.unwrap();
        clock.advance(60 * SECOND);
        let calls = Arc::new(AtomicU32::new(0));
        for _ in 0..20 {
            let calls = calls.clone();
            let _ = cache
                .try_get_or_load(KEY, &policy, move || async move {
                    calls.fetch_add(1, Ordering::SeqCst);
                    Err::<u32, _>(Failure::Source)
                })
                .await;
            settle().await;
        }
        let n = calls.load(Ordering::SeqCst);
        assert!(n <= 2, "{name}: {n} loads of a dead source in the same millisecond");
    }
}

// 17 one call counted both as miss and hit
#[tokio::test]
async fn b17_counts_add_up() {
    for Subject { name, cache, clock } in subjects() {
        // follower w/ SIE stale that lands
        let policy = Policy::ttl(SECOND).sie(MINUTE);
        cache.set(KEY, 1_u32, &policy).await.unwrap();
        clock.advance(2 * SECOND);
        let (go, gone) = oneshot::channel::<()>();
        let (c, p) = (cache.clone(), policy.clone());
        let a = tokio::spawn(async move {
            *c.get_or_load(KEY, p, || async move {
                gone.await.unwrap();
                2_u32
            })
            .await
        });
        settle().await;
        let (c, p) = (cache.clone(), policy.clone());
        let b = tokio::spawn(async move { *c.get_or_load(KEY, p, || async move { 3_u32 }).await });
        settle().await;
        go.send(()).unwrap();
        in_time(a).await.unwrap();
        in_time(b).await.unwrap();
        let s = cache.stats();
        assert_eq!(s.hits + s.misses + s.stale_hits, 2, "{name}: {s:?}");
    }
}
#[tokio::test]
async fn b18_counts_add_up_after_abandon() {
    for Subject { name, cache, .. } in subjects() {
        let c = cache.clone();
        let a =
            tokio::spawn(async move { *c.get_or_load(KEY, MINUTE, || std::future::pending::<u32>()).await });
        settle().await;
        let c = cache.clone();
        let b = tokio::spawn(async move { *c.get_or_load(KEY, MINUTE, || async move { 3_u32 }).await });
        let c = cache.clone();
        let d = tokio::spawn(async move { *c.get_or_load(KEY, MINUTE, || async move { 3_u32 }).await });
        settle().await;
        a.abort();
        in_time(b).await.unwrap();
        in_time(d).await.unwrap();
        let s = cache.stats();
        assert!(s.hits + s.misses + s.stale_hits <= 3, "{name}: 3 reads: {s:?}");
    }
}

// 19 max_age and a stale value standing in after a long load
#[tokio::test]
async fn b19_max_age_stand_in() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(100 * MINUTE).max_age(10 * SECOND);
        cache.set(KEY, 1_u32, &policy).await.unwrap();
        clock.advance(5 * SECOND);
        let turn = clock.clone();
        let r = cache
            .try_get_or_load(KEY, &policy, move || async move {
                turn.advance(MINUTE);
                Err::<u32, _>(Failure::Source)
            })
            .await;
        assert!(r.is_err(), "{name}: a value of 65 s under max_age 10 s");
    }
}
// 20 default_ttl zero
#[tokio::test]
async fn b20_mark_stale_late_tag_follow() {
    // full flight table: SWR not served at once, throttle not obeyed
    let clock = larder::ManualClock::new();
    let engine = cache_core_engine(&clock);
    let policy = Policy::ttl(SECOND).sie(MINUTE);
    engine.set(KEY, 1_u32, &policy).await.unwrap();
    clock.advance(2 * SECOND);
    let calls = Arc::new(AtomicU32::new(0));
    for _ in 0..5 {
        let calls = calls.clone();
        let _ = engine
            .try_get_or_load(KEY, &policy, move || async move {
                calls.fetch_add(1, Ordering::SeqCst);
                Err::<u32, _>(Failure::Source)
            })
            .await;
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1, "alone: throttle is not asked");
}
fn cache_core_engine(clock: &larder::ManualClock) -> Larder {
    Larder::builder().clock(clock.clock()).max_flights(0).build()
}
