//! G1: what was set, deleted or invalidated while a load ran is never overwritten or followed by that load.
//!
//! The scenarios that moka, foyer and `cached` fail (`invalidate`, `insert` and `clear` during a load), over every
//! backend and wrapper, with loads held in flight by hand.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use common::{Subject, subjects};
use larder::{Larder, Policy, Target, key};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const KEY: &str = "user:1";

fn policy() -> Policy {
    let minute = Duration::from_secs(60);
    Policy::ttl(minute).swr(minute).sie(minute).tags(["users"])
}

/// A load held in flight: it has begun, and returns `value` when `finish` is told to.
struct Held {
    finish: oneshot::Sender<()>,
    caller: JoinHandle<Arc<String>>,
}

async fn hold(cache: &Larder, value: &'static str) -> Held {
    let (finish, finished) = oneshot::channel::<()>();
    let (begin, begun) = oneshot::channel();
    let cache = cache.clone();
    let caller = tokio::spawn(async move {
        let loader = || async move {
            begin.send(()).expect("the test waits for this");
            finished.await.expect("the test ends each load");
            value.to_owned()
        };
        cache.get_or_load(KEY, policy(), loader).await
    });
    begun.await.expect("the load begins");
    Held { finish, caller }
}

impl Held {
    async fn finish(self) -> Arc<String> {
        self.finish.send(()).expect("the load waits");
        self.caller.await.expect("no panic")
    }
}

type Change = (&'static str, fn(&Larder));

const REMOVALS: [Change; 6] = [
    ("delete", |cache| {
        let _ = cache.delete(KEY).wait().expect("deleted");
    }),
    ("invalidate", |cache| cache.invalidate(KEY).wait().expect("invalidated")),
    ("invalidate pattern", |cache| cache.invalidate_pattern("user:*").wait().expect("invalidated")),
    ("invalidate tag", |cache| cache.invalidate_tag("users").wait().expect("invalidated")),
    ("clear", |cache| cache.clear().wait().expect("cleared")),
    ("dropped reply", |cache| drop(cache.invalidate(KEY))),
];

async fn read(cache: &Larder) -> Option<String> {
    cache.get::<String>(KEY).await.expect("readable").map(|value| (*value).clone())
}

#[tokio::test]
async fn a_load_in_flight_is_not_published_after_a_removal() {
    for (name, change) in REMOVALS {
        for Subject { name: backend, cache, .. } in subjects() {
            let held = hold(&cache, "old").await;
            change(&cache);
            assert_eq!(*held.finish().await, "old", "who joined before may have it: {name} on {backend}");
            assert_eq!(read(&cache).await, None, "{name} on {backend}");
            let stats = cache.stats();
            assert_eq!((stats.fenced, stats.loads), (1, 1), "{name} on {backend}");
        }
    }
}

#[tokio::test]
async fn who_comes_after_a_removal_does_not_join_the_load_from_before() {
    for (name, change) in REMOVALS {
        for Subject { name: backend, cache, .. } in subjects() {
            let old = hold(&cache, "old").await;
            change(&cache);
            let new = hold(&cache, "new").await;
            assert_eq!(*new.finish().await, "new", "{name} on {backend}");
            assert_eq!(*old.finish().await, "old", "{name} on {backend}");
            assert_eq!(read(&cache).await.as_deref(), Some("new"), "{name} on {backend}");
        }
    }
}

#[tokio::test]
async fn an_older_load_does_not_overwrite_a_newer_value() {
    for Subject { name, cache, .. } in subjects() {
        let held = hold(&cache, "old").await;
        cache.set(KEY, "newer".to_owned(), Duration::from_secs(60)).await.expect("set");
        assert_eq!(*held.finish().await, "old");
        assert_eq!(read(&cache).await.as_deref(), Some("newer"), "{name}");
    }
}

#[tokio::test]
async fn a_load_in_flight_is_published_as_stale_after_mark_stale() {
    for target in [Target::Key(KEY), Target::Pattern("user:?"), Target::Tag("users"), Target::All] {
        for Subject { name, cache, .. } in subjects() {
            let held = hold(&cache, "old").await;
            cache.mark_stale(target).await.expect("marked");
            held.finish().await;
            assert_eq!(read(&cache).await, None, "never as fresh: {target:?} on {name}");
            let hit = cache.lookup::<String>(KEY).await.expect("readable");
            assert!(hit.is_none_or(|hit| hit.freshness == larder::Freshness::Stale), "{target:?} on {name}");
        }
    }
}

#[tokio::test]
async fn what_does_not_cover_the_key_lets_the_load_be_published() {
    for Subject { name, cache, .. } in subjects() {
        let held = hold(&cache, "value").await;
        cache.invalidate("user:2").await.expect("ok");
        cache.invalidate_pattern("users:*").await.expect("ok");
        cache.invalidate_tag("user").await.expect("ok");
        cache.delete("user:11").await.expect("ok");
        held.finish().await;
        assert_eq!(read(&cache).await.as_deref(), Some("value"), "{name}");
        assert_eq!(cache.stats().fenced, 0, "{name}");
    }
}

#[tokio::test]
async fn a_background_refresh_is_fenced_too() {
    for (name, change) in REMOVALS {
        for Subject { name: backend, cache, clock } in subjects() {
            cache.set(KEY, "stale".to_owned(), policy()).await.expect("set");
            clock.advance(Duration::from_secs(61));
            let (finish, finished) = oneshot::channel::<()>();
            let (begin, begun) = oneshot::channel();
            let served = cache
                .get_or_load(KEY, policy(), || async move {
                    begin.send(()).expect("the test waits for this");
                    finished.await.expect("the test ends each load");
                    "old".to_owned()
                })
                .await;
            assert_eq!(*served, "stale", "at once: {name} on {backend}");
            begun.await.expect("the refresh begins");
            change(&cache);
            finish.send(()).expect("the refresh waits");
            while cache.stats().fenced == 0 {
                tokio::task::yield_now().await;
            }
            assert!(cache.lookup::<String>(KEY).await.expect("readable").is_none(), "{name} on {backend}");
        }
    }
}

#[tokio::test]
async fn a_stale_value_that_was_invalidated_does_not_stand_in_for_later_readers() {
    for (name, change) in REMOVALS {
        for Subject { name: backend, cache, clock } in subjects() {
            cache.set(KEY, "stale".to_owned(), policy()).await.expect("set");
            clock.advance(Duration::from_secs(61));
            change(&cache);
            let failed = cache.try_get_or_load(KEY, policy(), || async { Err::<String, _>("down") }).await;
            assert_eq!(failed, Err("down"), "{name} on {backend}");
        }
    }
}

/// The closure of a loader may read the source before it returns its future: it is fenced as well, in the
/// foreground and where it goes on in the background.
#[tokio::test]
async fn a_closure_that_reads_the_source_itself_is_fenced() {
    for (name, change) in REMOVALS {
        for Subject { name: backend, cache, clock } in subjects() {
            for stale in [false, true] {
                if stale {
                    cache.set(KEY, "stale".to_owned(), policy()).await.expect("set");
                    clock.advance(Duration::from_secs(61));
                }
                let fenced = cache.stats().fenced;
                let changing = cache.clone();
                let loader = move || {
                    let read = "old".to_owned();
                    // On a thread: a late backend must not be waited for on its own runtime's.
                    std::thread::spawn(move || change(&changing)).join().expect("changed");
                    async move { read }
                };
                cache.get_or_load(KEY, policy(), loader).await;
                while cache.stats().fenced == fenced {
                    tokio::task::yield_now().await;
                }
                let left = cache.lookup::<String>(KEY).await.expect("readable");
                assert!(left.is_none(), "{name} on {backend}, stale before: {stale}");
            }
        }
    }
}

/// Readers on threads against invalidations on another: no read that begins after an invalidation returned sees a
/// version from before it.
#[test]
fn no_stale_read_under_threads() {
    no_stale_read(&Larder::memory(100));
}

#[cfg(feature = "moka")]
#[test]
fn no_stale_read_under_threads_over_moka() {
    no_stale_read(&Larder::over(larder::Moka::new(100)));
}

fn no_stale_read(cache: &Larder) {
    let (truth, acknowledged, done) = (AtomicU32::new(0), AtomicU32::new(0), AtomicBool::new(false));
    let policy = Policy::ttl(Duration::from_secs(60)).tags(["numbers"]).in_caller();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for version in 1..=3000_u32 {
                truth.store(version, Ordering::SeqCst);
                match version % 4 {
                    0 => cache.invalidate_tag("numbers").wait(),
                    1 => cache.invalidate_pattern("number:*").wait(),
                    2 => cache.delete(key!("number:{}", 1)).wait().map(drop),
                    _ => cache.clear().wait(),
                }
                .expect("invalidated");
                acknowledged.store(version, Ordering::SeqCst);
            }
            done.store(true, Ordering::SeqCst);
        });
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let known = acknowledged.load(Ordering::SeqCst);
                    let load = || truth.load(Ordering::SeqCst);
                    let seen = *cache.get_or_compute(key!("number:{}", 1), policy.clone(), load);
                    assert!(seen >= known, "read {seen}, though {known} was acknowledged before");
                }
            });
        }
    });
    assert!(cache.stats().hits > 0);
}
