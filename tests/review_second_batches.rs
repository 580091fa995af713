//! What a second review broke in batches: what they lead, follow, refresh, and give up.

#![allow(clippy::unwrap_used)]

mod common;
use common::{Counted, Failure, MINUTE, SECOND, Subject, in_time, poll, settle, subjects};
use larder::testing::Plain;
use larder::{Larder, ManualClock, Policy};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::sync::oneshot;

const KEY: &str = "k";

// G5: one publication, also where a batch was given up and comes back while another loads.
#[tokio::test]
async fn a_batch_that_was_given_up_publishes_nothing() {
    for Subject { name, cache, clock } in subjects() {
        let (finish, finished) = oneshot::channel::<()>();
        let mut finished = Some(finished);
        let c = cache.clone();
        let mut batch = Box::pin(async move {
            let load = move |_: Vec<_>| {
                let finished = finished.take().unwrap();
                async move {
                    finished.await.unwrap();
                    Ok::<_, Failure>([(KEY, 1_u32)])
                }
            };
            c.load_many([KEY], MINUTE, load).await
        });
        while cache.stats().loads == 0 {
            assert!(!poll(&mut batch));
        }
        let (go, gone) = oneshot::channel::<()>();
        let c = cache.clone();
        let load = || async move {
            gone.await.unwrap();
            2_u32
        };
        let follower = tokio::spawn(async move { *c.get_or_load(KEY, MINUTE, load).await });
        settle().await;
        for _ in 0..6 {
            clock.advance(SECOND / 2);
            settle().await;
        }
        assert_eq!(cache.stats().loads, 2, "{name}: it took over");
        finish.send(()).unwrap();
        assert_eq!(in_time(batch).await.unwrap()[0].as_deref(), Some(&1), "{name}");
        assert_eq!(cache.get::<u32>(KEY).await.unwrap(), None, "{name}: published beside its successor");
        go.send(()).unwrap();
        assert_eq!(in_time(follower).await.unwrap(), 2, "{name}");
        assert_eq!(cache.get::<u32>(KEY).await.unwrap().as_deref(), Some(&2), "{name}");
    }
}

// G5: who does not refresh a key does not hold its flight while it waits for others.
#[tokio::test]
async fn a_batch_without_a_place_for_its_refresh_holds_no_flight() {
    for Subject { name, cache, clock } in subjects() {
        cache.set("a", 1_u32, Policy::ttl(SECOND).swr(MINUTE)).await.unwrap();
        clock.advance(2 * SECOND);
        cache.close(Duration::ZERO).await.unwrap();
        let (go, gone) = oneshot::channel::<()>();
        let c = cache.clone();
        let load = || async move {
            gone.await.unwrap();
            2_u32
        };
        let other = tokio::spawn(async move { *c.get_or_load("b", MINUTE, load).await });
        settle().await;
        let c = cache.clone();
        let batch = tokio::spawn(async move {
            let load = async |_: Vec<&str>| Ok::<_, Failure>(Vec::<(&str, u32)>::new());
            c.load_many(["a", "b"], Policy::ttl(SECOND).swr(MINUTE), load).await.unwrap().len()
        });
        settle().await;
        // Whose policy knows no stale values.
        assert_eq!(*in_time(cache.get_or_load("a", MINUTE, async || 3_u32)).await, 3, "{name}");
        go.send(()).unwrap();
        assert_eq!(in_time(batch).await.unwrap(), 2);
        in_time(other).await.unwrap();
    }
}

// Design 6.4: a batch that waits for another's load gets what is stale at its hard timeout, as everybody does.
#[tokio::test]
async fn a_stale_value_stands_in_at_the_hard_timeout_of_a_batch_that_follows() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(MINUTE);
        cache.set(KEY, 1_u32, &policy).await.unwrap();
        clock.advance(2 * SECOND);
        let (c, p) = (cache.clone(), policy.clone());
        let leader = tokio::spawn(async move { *c.get_or_load(KEY, p, std::future::pending::<u32>).await });
        settle().await;
        let c = cache.clone();
        let batch = tokio::spawn(async move {
            let load = |_: Vec<_>| std::future::pending::<Result<Vec<(&str, u32)>, Failure>>();
            c.load_many([KEY], policy.hard_timeout(SECOND), load)
                .await
                .map(|found| found[0].as_deref().copied())
        });
        settle().await;
        clock.advance(SECOND);
        assert_eq!(in_time(batch).await.unwrap(), Ok(Some(1)), "{name}");
        leader.abort();
    }
}

// Design 6.4: a batch has its soft timeout as every load.
#[tokio::test]
async fn a_batch_gives_what_is_stale_at_its_soft_timeout_and_ends_in_the_background() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(MINUTE).soft_timeout(SECOND);
        cache.set_many([("a", 1_u32), ("b", 1)], &policy).await.unwrap();
        clock.advance(2 * SECOND);
        let (finish, finished) = oneshot::channel::<()>();
        let mut finished = Some(finished);
        let (c, p) = (cache.clone(), policy.clone());
        let batch = tokio::spawn(async move {
            let load = move |keys: Vec<&'static str>| {
                let finished = finished.take().unwrap();
                async move {
                    finished.await.unwrap();
                    Ok::<_, Failure>(keys.into_iter().map(|key| (key, 2_u32)).collect::<Vec<_>>())
                }
            };
            let found = c.load_many(["a", "b"], p, load).await.unwrap();
            found.into_iter().map(|value| *value.unwrap()).collect::<Vec<_>>()
        });
        settle().await;
        assert!(!batch.is_finished(), "{name}");
        clock.advance(SECOND);
        settle().await;
        assert_eq!(in_time(batch).await.unwrap(), [1, 1], "{name}");
        assert_eq!(cache.health().await.unwrap().background, 1, "{name}");
        finish.send(()).unwrap();
        settle().await;
        settle().await;
        assert_eq!(cache.get::<u32>("a").await.unwrap().as_deref(), Some(&2), "{name}");
        assert_eq!(cache.get::<u32>("b").await.unwrap().as_deref(), Some(&2), "{name}");
        assert_eq!(cache.health().await.unwrap().background, 0, "{name}");
    }
}

// G5: a forgotten batch keeps nobody longer than one forgotten load does, however many keys it has.
#[tokio::test]
async fn the_keys_of_a_forgotten_batch_are_taken_over_together() {
    for Subject { name, cache, clock } in subjects() {
        let keys = ["a", "b", "c"];
        let c = cache.clone();
        let mut forgotten = Box::pin(async move {
            let load = |_: Vec<_>| std::future::pending::<Result<Vec<(&str, u32)>, Failure>>();
            c.load_many(keys, MINUTE, load).await
        });
        while cache.stats().loads == 0 {
            assert!(!poll(&mut forgotten));
        }
        let c = cache.clone();
        let batch = tokio::spawn(async move {
            let load = async |keys: Vec<&'static str>| {
                Ok::<_, Failure>(keys.into_iter().map(|key| (key, 2_u32)).collect::<Vec<_>>())
            };
            c.load_many(keys, MINUTE, load).await.unwrap().iter().flatten().count()
        });
        settle().await;
        for _ in 0..6 {
            clock.advance(SECOND / 2);
            settle().await;
        }
        assert!(batch.is_finished(), "{name}: not within 3 s");
        assert_eq!(batch.await.unwrap(), 3, "{name}");
        assert_eq!(cache.stats().loads, 2, "{name}: all of them in one load");
    }
}

// The cap holds for a batch that also refreshes something.
#[tokio::test]
async fn a_batch_with_something_to_refresh_takes_a_place() {
    let clock = ManualClock::new();
    let cache =
        Larder::builder().clock(clock.clock()).max_loads(1).backend(Plain::new(clock.clock())).build();
    let policy = Policy::ttl(SECOND).swr(MINUTE);
    cache.set_many([("a", 1_u32), ("b", 1)], &policy).await.unwrap();
    clock.advance(2 * SECOND);
    let counted = Arc::new(Counted::default());
    let batches = [["a", "c"], ["b", "d"]].map(|keys| {
        let (cache, counted, policy) = (cache.clone(), counted.clone(), policy.clone());
        tokio::spawn(async move {
            let load = move |keys: Vec<&'static str>| {
                let counted = counted.clone();
                async move {
                    let value = counted.load().await;
                    Ok::<_, Failure>(keys.into_iter().map(|key| (key, value)).collect::<Vec<_>>())
                }
            };
            cache.load_many(keys, policy, load).await.unwrap()
        })
    });
    for batch in batches {
        in_time(batch).await.unwrap();
    }
    assert_eq!(in_time(cache.close(MINUTE)).await.unwrap().refreshes, 0);
    assert_eq!((counted.all.load(SeqCst), counted.most.load(SeqCst)), (4, 1));
}

// A batch inside a load takes no place: the load that waits for it holds one.
#[tokio::test]
async fn a_batch_inside_a_load_takes_no_place() {
    let cache = Larder::builder().max_loads(1).build();
    let inner = cache.clone();
    let outer = cache.get_or_load(KEY, MINUTE, || async move {
        let load = async |keys: Vec<&'static str>| {
            Ok::<_, Failure>(keys.into_iter().map(|key| (key, 2_u32)).collect::<Vec<_>>())
        };
        inner.load_many(["a", "b"], MINUTE, load).await.unwrap().iter().flatten().map(|value| **value).sum()
    });
    let sum: Arc<u32> = in_time(outer).await;
    assert_eq!(*sum, 4);
}

// G5: nor do eight batches load where one load was cancelled.
#[tokio::test]
async fn one_batch_leads_when_the_leader_is_cancelled() {
    for Subject { name, cache, .. } in subjects() {
        let c = cache.clone();
        let leader =
            tokio::spawn(async move { *c.get_or_load(KEY, MINUTE, std::future::pending::<u32>).await });
        settle().await;
        let counted = Arc::new(Counted::default());
        let batches = [(); 20].map(|()| {
            let (cache, counted) = (cache.clone(), counted.clone());
            tokio::spawn(async move {
                let load = |_: Vec<_>| async { Ok::<_, Failure>([(KEY, counted.load().await)]) };
                cache.load_many([KEY], MINUTE, load).await.unwrap()[0].as_deref().copied()
            })
        });
        settle().await;
        leader.abort();
        for batch in batches {
            assert_eq!(in_time(batch).await.unwrap(), Some(7), "{name}");
        }
        assert_eq!(counted.all.load(SeqCst), 1, "{name}: loads");
    }
}
