//! What a policy says of loads, and what loaders may say, over every backend.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use common::{Failure, MINUTE, SECOND, Subject, in_time, settle, subjects};
use larder::{Larder, Load, Loaded, Policy, key};
use tokio::sync::{Notify, oneshot};

const KEY: &str = "k";

/// Counts its loads and returns how many there were.
#[derive(Clone, Default)]
struct Source(Arc<AtomicU32>);

impl Source {
    fn loads(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }

    async fn load(self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    async fn get(&self, cache: &Larder, policy: &Policy) -> u32 {
        let source = self.clone();
        *cache.get_or_load(KEY, policy, move || source.load()).await
    }
}

#[tokio::test]
async fn refresh_ahead_refreshes_before_the_end_and_nobody_waits() {
    for Subject { name, cache, clock } in subjects() {
        let (source, policy) = (Source::default(), Policy::ttl(100 * SECOND).refresh_ahead(0.8));
        assert_eq!(source.get(&cache, &policy).await, 1, "{name}");
        clock.advance(79 * SECOND);
        assert_eq!(source.get(&cache, &policy).await, 1);
        in_time(cache.settle()).await.expect("settled");
        assert_eq!(source.loads(), 1, "{name}: too early");
        clock.advance(2 * SECOND);
        assert_eq!(source.get(&cache, &policy).await, 1, "{name}: the old value, at once");
        in_time(cache.settle()).await.expect("settled");
        assert_eq!(source.get(&cache, &policy).await, 2, "{name}");
        assert_eq!((source.loads(), cache.stats().refreshes, cache.stats().stale_hits), (2, 1, 0), "{name}");
    }
}

#[tokio::test]
async fn xfetch_refreshes_the_likelier_the_nearer_the_end() {
    for Subject { name, cache, clock } in subjects() {
        let source = Source::default();
        let policy = Policy::ttl(100 * SECOND).xfetch(1.0);
        let turned = clock.clone();
        let first = source.clone();
        let slow = move || async move {
            turned.advance(5 * SECOND);
            first.load().await
        };
        cache.get_or_load(KEY, &policy, slow).await;
        // 50 s before the end, at a cost of 5 s: e^-10 for each read.
        clock.advance(50 * SECOND);
        for _ in 0..20 {
            source.get(&cache, &policy).await;
        }
        in_time(cache.settle()).await.expect("settled");
        assert_eq!(source.loads(), 1, "{name}");
        // A second before the end: e^-0.2.
        clock.advance(49 * SECOND);
        for _ in 0..40 {
            source.get(&cache, &policy).await;
            in_time(cache.settle()).await.expect("settled");
        }
        assert!(source.loads() > 1, "{name}");
        assert_eq!(cache.stats().misses, 1, "{name}: nobody waited");
    }
}

#[tokio::test]
async fn jitter_shortens_and_never_lengthens() {
    for Subject { name, cache, .. } in subjects() {
        let mut left = Vec::new();
        for i in 0..50 {
            cache.set(key!("{}", i), i, Policy::ttl(100 * SECOND).jitter(0.5)).wait().expect("set");
            match cache.ttl(key!("{}", i)).wait().expect("readable") {
                larder::Ttl::Left(ttl) => left.push(ttl),
                other => panic!("{name}: {other:?}"),
            }
        }
        assert!(left.iter().all(|ttl| *ttl <= 100 * SECOND && *ttl >= 50 * SECOND), "{name}: {left:?}");
        left.sort();
        left.dedup();
        assert!(left.len() > 20, "{name}");
        cache.set("forever", 1_u8, Policy::forever().jitter(0.5)).wait().expect("set");
        assert_eq!(cache.ttl("forever").wait().expect("readable"), larder::Ttl::Forever);
    }
}

#[tokio::test]
async fn negative_ttl_is_for_none_alone() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(MINUTE).sie(MINUTE).negative_ttl(SECOND);
        let none = cache.get_or_load("none", policy.clone(), async || None::<u8>).await;
        cache.get_or_load("some", policy.clone(), async || Some(1_u8)).await;
        cache.set("set", None::<u8>, policy.clone()).wait().expect("set");
        assert_eq!(*none, None);
        clock.advance(SECOND / 2);
        let again = cache.get_or_load("none", policy.clone(), async || Some(2_u8)).await;
        assert_eq!(*again, None, "{name}: cached for a second");
        clock.advance(SECOND);
        assert!(!cache.exists("set").wait().expect("readable"), "{name}");
        assert!(cache.exists("some").wait().expect("readable"), "{name}");
        assert_eq!(*cache.get_or_load("none", policy, async || Some(2_u8)).await, Some(2), "{name}");
    }
}

#[tokio::test]
async fn max_age_loads_for_those_who_ask_for_it() {
    for Subject { name, cache, clock } in subjects() {
        let (source, policy) = (Source::default(), Policy::ttl(MINUTE));
        source.get(&cache, &policy).await;
        clock.advance(10 * SECOND);
        assert_eq!(source.get(&cache, &policy.clone().max_age(10 * SECOND)).await, 1, "{name}");
        assert!(cache.lookup_within::<u32>(KEY, 10 * SECOND).wait().expect("readable").is_some());
        clock.advance(SECOND);
        assert!(cache.lookup_within::<u32>(KEY, 10 * SECOND).wait().expect("readable").is_none());
        assert_eq!(source.get(&cache, &policy).await, 1);
        assert_eq!(source.get(&cache, &policy.max_age(10 * SECOND)).await, 2, "{name}");
    }
}

#[tokio::test]
async fn another_version_is_loaded_anew() {
    for Subject { name, cache, .. } in subjects() {
        let (source, policy) = (Source::default(), Policy::ttl(MINUTE));
        assert_eq!(source.get(&cache, &policy.clone().version(1)).await, 1);
        assert_eq!(source.get(&cache, &policy.clone().version(1)).await, 1, "{name}");
        assert_eq!(source.get(&cache, &policy.clone().version(2)).await, 2, "{name}");
        assert_eq!(source.get(&cache, &policy).await, 3, "{name}");
        assert_eq!(*cache.get::<u32>(KEY).wait().expect("readable").expect("there"), 3);
    }
}

#[tokio::test]
async fn a_soft_timeout_gives_the_stale_value_and_lets_the_load_end() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(MINUTE).soft_timeout(SECOND);
        cache.set(KEY, 1_u32, &policy).wait().expect("set");
        clock.advance(2 * SECOND);
        let (finish, finished) = oneshot::channel();
        let (begin, begun) = oneshot::channel();
        let reader = tokio::spawn({
            let (cache, policy) = (cache.clone(), policy.clone());
            async move {
                let loader = move || async move {
                    let _ = begin.send(());
                    finished.await.expect("the test ends it")
                };
                *cache.get_or_load(KEY, policy, loader).await
            }
        });
        in_time(begun).await.expect("it begins");
        let follower = tokio::spawn({
            let (cache, policy) = (cache.clone(), policy.clone());
            async move { *cache.get_or_load(KEY, policy, async || 9_u32).await }
        });
        settle().await;
        clock.advance(SECOND);
        assert_eq!(in_time(reader).await.expect("no panic"), 1, "{name}: the stale value");
        assert_eq!(in_time(follower).await.expect("no panic"), 1, "{name}: followers too");
        finish.send(2_u32).expect("the load goes on");
        in_time(cache.settle()).await.expect("settled");
        assert_eq!(cache.get::<u32>(KEY).wait().expect("readable").as_deref(), Some(&2), "{name}");
    }
}

#[tokio::test]
async fn a_hard_timeout_is_an_error_or_the_stale_value() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(MINUTE).hard_timeout(SECOND);
        let load = |cache: Larder| {
            let policy = policy.clone();
            let loader = || async { std::future::pending::<Result<u32, Failure>>().await };
            tokio::spawn(async move { cache.try_get_or_load(KEY, policy, loader).await.map(|value| *value) })
        };
        let (leader, follower) = (load(cache.clone()), load(cache.clone()));
        settle().await;
        clock.advance(SECOND);
        settle().await;
        clock.advance(SECOND);
        assert_eq!(in_time(leader).await.expect("no panic"), Err(Failure::Timeout), "{name}");
        assert_eq!(in_time(follower).await.expect("no panic"), Err(Failure::Timeout), "{name}");
        cache.set(KEY, 1_u32, Policy::ttl(SECOND).sie(MINUTE)).wait().expect("set");
        clock.advance(SECOND);
        let reader = load(cache.clone());
        settle().await;
        clock.advance(SECOND);
        assert_eq!(in_time(reader).await.expect("no panic"), Ok(1), "{name}: it stands in");
    }
}

#[tokio::test]
async fn a_loader_has_the_stale_value_in_hand_and_may_say_that_it_still_holds() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(MINUTE);
        let first = cache.load_with(KEY, policy.clone(), async |load| {
            assert!(load.stale().is_none() && load.key() == KEY);
            Ok::<_, Failure>(Loaded::new(7_u32).tags(["late"]))
        });
        assert_eq!(*first.await.expect("loaded"), 7, "{name}");
        clock.advance(2 * SECOND);
        let again = cache.load_with(KEY, policy.clone(), async |load: Load<u32>| {
            let stale = load.stale().expect("stale");
            assert_eq!((**stale, stale.age()), (7, 2 * SECOND));
            Ok::<_, Failure>(stale.not_modified().ttl(MINUTE).tags(["late"]))
        });
        assert_eq!(*again.await.expect("loaded"), 7, "{name}");
        clock.advance(30 * SECOND);
        assert_eq!(
            cache.get::<u32>(KEY).wait().expect("readable").as_deref(),
            Some(&7),
            "{name}: for a minute"
        );
        cache.invalidate_tag("late").wait().expect("ok");
        assert_eq!(cache.get::<u32>(KEY).wait().expect("readable"), None, "{name}: by the loader's own tag");
        let skipped =
            cache.load_with(KEY, policy.clone(), async |_| Ok::<_, Failure>(Loaded::skip(8_u32))).await;
        assert_eq!(*skipped.expect("loaded"), 8);
        assert_eq!(cache.get::<u32>(KEY).wait().expect("readable"), None, "{name}: not stored");
        let failed = cache.load_with::<u32, _, _, _>(KEY, policy, async |_| Err(Failure::Source)).await;
        assert_eq!(failed.expect_err("failed"), Failure::Source);
    }
}

/// G1: what was invalidated while it was being loaded is not stored again by "not modified".
#[tokio::test]
async fn not_modified_obeys_the_fence() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).sie(MINUTE);
        cache.set(KEY, 1_u32, policy.clone()).wait().expect("set");
        clock.advance(2 * SECOND);
        let other = cache.clone();
        let load = cache.load_with(KEY, policy, async move |load: Load<u32>| {
            other.invalidate(KEY).await.expect("ok");
            Ok::<_, Failure>(load.stale().expect("stale").not_modified())
        });
        assert_eq!(*load.await.expect("loaded"), 1, "{name}: who had asked before may have it");
        assert_eq!(cache.get::<u32>(KEY).wait().expect("readable"), None, "{name}");
        assert!(cache.lookup::<u32>(KEY).wait().expect("readable").is_none(), "{name}");
    }
}

#[tokio::test]
async fn no_more_loads_run_at_once_than_allowed() {
    let cache = Larder::builder().max_loads(3).build();
    let (running, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let go = Arc::new(Notify::new());
    let tasks: Vec<_> = (0..20_u32)
        .map(|i| {
            let (cache, running, most, go) = (cache.clone(), running.clone(), most.clone(), go.clone());
            tokio::spawn(async move {
                let inner = cache.clone();
                let load = || async move {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    go.notified().await;
                    // A load within a load waits for no place: it would be its own.
                    let nested = *inner.get_or_load(key!("nested:{}", i), MINUTE, async || 1_u32).await;
                    running.fetch_sub(1, Ordering::SeqCst);
                    nested
                };
                *cache.get_or_load(key!("{}", i), MINUTE, load).await
            })
        })
        .collect();
    settle().await;
    assert_eq!(running.load(Ordering::SeqCst), 3);
    for task in tasks {
        while !task.is_finished() {
            go.notify_waiters();
            tokio::task::yield_now().await;
        }
        assert_eq!(task.await.expect("no panic"), 1);
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn what_cannot_be_a_policy_is_refused() {
    let cache = Larder::memory(10);
    let bad = [
        Policy::ttl(Duration::ZERO),
        Policy::ttl(SECOND).jitter(1.0),
        Policy::ttl(SECOND).jitter(-0.1),
        Policy::ttl(SECOND).jitter(f64::NAN),
        Policy::ttl(SECOND).refresh_ahead(0.0),
        Policy::ttl(SECOND).refresh_ahead(1.0),
        Policy::ttl(SECOND).xfetch(-1.0),
        Policy::ttl(SECOND).xfetch(f64::INFINITY),
        Policy::ttl(SECOND).sie(MINUTE).soft_timeout(Duration::ZERO),
        Policy::ttl(SECOND).soft_timeout(SECOND),
        Policy::ttl(SECOND).negative_ttl(Duration::ZERO),
    ];
    for policy in bad {
        let error = cache.set(KEY, 1_u8, &policy).wait().expect_err("refused");
        assert_eq!(error.kind(), larder::ErrorKind::InvalidPolicy, "{policy:?}");
        assert_eq!(*cache.get_or_load(KEY, &policy, async || 7_u8).await, 7, "a load goes on without");
    }
    assert_eq!(cache.stats().entries, 0);
}

/// A write minds no hard timeout, so only a load can tell that the soft one never comes.
#[tokio::test]
async fn a_soft_timeout_is_shorter_than_the_hard_one() {
    let policy = |soft| Policy::ttl(SECOND).sie(MINUTE).soft_timeout(soft * SECOND).hard_timeout(2 * SECOND);
    for (soft, errors) in [(1, 0), (2, 1), (3, 1)] {
        let cache = Larder::memory(10);
        let load = || async { Ok::<_, Failure>(7_u8) };
        let loaded = cache.try_get_or_load(KEY, policy(soft), load).await;
        assert_eq!(loaded.as_deref(), Ok(&7), "{soft}: a load goes on without");
        assert_eq!((cache.stats().errors, cache.stats().entries), (errors, 1 - errors), "{soft}");
    }
}

/// Whatever the clock's step: nothing is young enough.
#[tokio::test]
async fn a_max_age_of_zero_takes_nothing_that_is_stored() {
    for Subject { name, cache, .. } in subjects() {
        let (source, policy) = (Source::default(), Policy::ttl(MINUTE).swr(MINUTE));
        assert_eq!(source.get(&cache, &policy).await, 1);
        assert_eq!(source.get(&cache, &policy.clone().max_age(Duration::ZERO)).await, 2, "{name}");
        assert_eq!(source.get(&cache, &policy).await, 2, "{name}: it is stored for all");
        assert!(cache.lookup_within::<u32>(KEY, Duration::ZERO).wait().expect("readable").is_none());
        assert_eq!(cache.stats().errors, 0);
    }
}

/// What counts at the end of a TTL is no mistake where there is none: the end may come in another way.
#[tokio::test]
async fn forever_with_windows_is_stale_once_it_is_marked() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::forever().swr(MINUTE).jitter(0.5).refresh_ahead(0.5);
        let source = Source::default();
        assert_eq!(source.get(&cache, &policy).await, 1);
        clock.advance(10 * MINUTE);
        assert_eq!(source.get(&cache, &policy).await, 1);
        cache.mark_stale(KEY).wait().expect("marked");
        assert_eq!(source.get(&cache, &policy).await, 1, "{name}: stale, at once");
        cache.settle().await.expect("settled");
        assert_eq!(source.get(&cache, &policy).await, 2, "{name}");
        assert_eq!(cache.stats().errors, 0);
    }
}

/// As of `set`: the value is its caller's, and is not stored.
#[tokio::test]
async fn a_counter_that_is_loaded_has_neither_tags_nor_windows() {
    for Subject { name, cache, .. } in subjects() {
        for policy in [Policy::ttl(MINUTE).tags(["t"]), Policy::ttl(MINUTE).swr(SECOND)] {
            cache.set(KEY, 1_i64, &policy).wait().expect_err("refused");
            let errors = cache.stats().errors;
            assert_eq!(*cache.get_or_load(KEY, &policy, async || 2_i64).await, 2);
            assert!(!cache.exists(KEY).wait().expect("readable"), "{name}");
            assert_eq!(cache.stats().errors, errors + 1, "{name}");
        }
        let tagged = async |_: Load<i64>| Ok::<_, Failure>(Loaded::new(3_i64).tags(["t"]));
        assert_eq!(*cache.load_with(KEY, MINUTE, tagged).await.expect("loads"), 3);
        assert!(!cache.exists(KEY).wait().expect("readable"), "{name}: tags of the loader");
        assert_eq!(*cache.get_or_load(KEY, MINUTE, async || 4_i64).await, 4);
        assert_eq!(cache.incr(KEY, 1).wait().expect("a counter"), 5, "{name}");
    }
}
