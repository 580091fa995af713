//! Stale values: served while a refresh runs, or when a load fails, and never a moment longer.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use common::{Subject, in_time, subjects};
use larder::{Freshness, Larder, Policy};

const SECOND: Duration = Duration::from_secs(1);

fn policy() -> Policy {
    Policy::ttl(10 * SECOND).swr(5 * SECOND).sie(60 * SECOND)
}

/// Loads the next number, or fails while `down`.
#[derive(Clone, Default)]
struct Source(Arc<AtomicU32>, Arc<std::sync::atomic::AtomicBool>);

impl Source {
    fn loads(&self) -> u32 {
        self.0.load(SeqCst)
    }

    fn down(&self, down: bool) {
        self.1.store(down, SeqCst);
    }

    async fn read(&self, cache: &Larder) -> Result<u32, &'static str> {
        let source = self.clone();
        let loader = || async move {
            let number = source.0.fetch_add(1, SeqCst) + 1;
            if source.1.load(SeqCst) { Err("down") } else { Ok(number) }
        };
        cache.try_get_or_load("n", policy(), loader).await.map(|number| *number)
    }
}

#[tokio::test]
async fn stale_within_swr_is_served_at_once_while_one_load_refreshes() {
    for Subject { name, cache, clock } in subjects() {
        let source = Source::default();
        assert_eq!(source.read(&cache).await, Ok(1));
        clock.advance(11 * SECOND);
        assert_eq!(source.read(&cache).await, Ok(1), "{name}");
        in_time(cache.settle()).await.expect("settled");
        assert_eq!(source.read(&cache).await, Ok(2), "{name}");
        assert_eq!(
            (source.loads(), cache.stats().refreshes, cache.stats().stale_hits > 0),
            (2, 1, true),
            "{name}"
        );
    }
}

#[tokio::test]
async fn many_stale_readers_start_one_refresh() {
    for Subject { name, cache, clock } in subjects() {
        let source = Source::default();
        assert_eq!(source.read(&cache).await, Ok(1));
        clock.advance(11 * SECOND);
        let readers: Vec<_> = (0..50)
            .map(|_| {
                let (cache, source) = (cache.clone(), source.clone());
                tokio::spawn(async move { source.read(&cache).await })
            })
            .collect();
        for reader in readers {
            assert!(reader.await.expect("no panic").is_ok(), "{name}");
        }
        in_time(cache.settle()).await.expect("settled");
        assert_eq!(cache.get::<u32>("n").await.expect("readable").as_deref(), Some(&2), "{name}");
        assert_eq!(source.loads(), 2, "{name}");
    }
}

#[tokio::test]
async fn past_swr_the_caller_waits_for_its_load() {
    for Subject { name, cache, clock } in subjects() {
        let source = Source::default();
        assert_eq!(source.read(&cache).await, Ok(1));
        clock.advance(16 * SECOND);
        assert_eq!(source.read(&cache).await, Ok(2), "{name}");
    }
}

/// `cached` re-armed its TTL with every error, without end.
#[tokio::test]
async fn stale_if_error_ends_when_it_should() {
    for Subject { name, cache, clock } in subjects() {
        let source = Source::default();
        assert_eq!(source.read(&cache).await, Ok(1));
        source.down(true);
        for _ in 0..5 {
            clock.advance(13 * SECOND);
            assert_eq!(source.read(&cache).await, Ok(1), "{name}");
        }
        clock.advance(6 * SECOND);
        assert_eq!(source.read(&cache).await, Err("down"), "{name}: 71 s after it was stored");
    }
}

#[tokio::test]
async fn a_failed_load_is_not_tried_again_for_a_while() {
    for Subject { name, cache, clock } in subjects() {
        let source = Source::default();
        assert_eq!(source.read(&cache).await, Ok(1));
        clock.advance(16 * SECOND);
        source.down(true);
        assert_eq!(source.read(&cache).await, Ok(1), "{name}");
        let loads = source.loads();
        clock.advance(20 * SECOND);
        assert_eq!(source.read(&cache).await, Ok(1), "{name}");
        assert_eq!(source.loads(), loads, "{name}: throttled");
        source.down(false);
        clock.advance(11 * SECOND);
        assert!(source.read(&cache).await.is_ok_and(|number| number > 1), "{name}: tried again after 30 s");
    }
}

#[tokio::test]
async fn an_invalidation_lifts_the_throttle() {
    for Subject { name, cache, clock } in subjects() {
        let source = Source::default();
        assert_eq!(source.read(&cache).await, Ok(1));
        clock.advance(16 * SECOND);
        source.down(true);
        assert_eq!(source.read(&cache).await, Ok(1));
        source.down(false);
        cache.mark_stale("n").await.expect("marked");
        assert!(source.read(&cache).await.is_ok_and(|number| number > 1), "{name}");
    }
}

#[tokio::test]
async fn get_gives_fresh_values_only_and_lookup_tells_which() {
    for Subject { name, cache, clock } in subjects() {
        cache.set("n", 1_u32, policy()).await.expect("set");
        let hit = cache.lookup::<u32>("n").await.expect("readable").expect("there");
        assert_eq!((*hit.value, hit.freshness, hit.remaining), (1, Freshness::Fresh, 10 * SECOND), "{name}");
        clock.advance(12 * SECOND);
        assert_eq!(cache.get::<u32>("n").await.expect("readable"), None, "{name}");
        assert!(!cache.exists("n").await.expect("readable"), "{name}");
        let hit = cache.lookup::<u32>("n").await.expect("readable").expect("there");
        assert_eq!((hit.freshness, hit.age, hit.remaining), (Freshness::Stale, 12 * SECOND, Duration::ZERO));
        assert!(cache.delete("n").await.expect("deleted"), "{name}: a stale entry went");
    }
}

#[test]
fn a_synchronous_refresh_runs_on_a_thread_of_its_own() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(10 * SECOND).swr(5 * SECOND);
        assert_eq!(*cache.get_or_compute("n", &policy, || 1_u32), 1);
        clock.advance(11 * SECOND);
        let here = std::thread::current().id();
        let refresh = move || {
            assert_ne!(std::thread::current().id(), here);
            2_u32
        };
        assert_eq!(*cache.get_or_compute("n", &policy, refresh), 1, "{name}");
        cache.settle().wait().expect("settled");
        assert_eq!(cache.get::<u32>("n").wait().expect("readable").as_deref(), Some(&2), "{name}");
    }
}

#[test]
fn a_loader_that_borrows_refreshes_in_its_caller() {
    for Subject { name, cache, clock } in subjects() {
        let policy = || Policy::ttl(10 * SECOND).swr(5 * SECOND).in_caller();
        let number = AtomicU32::new(1);
        let read = || *cache.get_or_compute("n", policy(), || number.fetch_add(1, SeqCst));
        assert_eq!(read(), 1);
        clock.advance(11 * SECOND);
        assert_eq!(read(), 2, "{name}");
    }
}

/// A refresh that fails is throttled too, within the stale-while-revalidate window.
#[tokio::test]
async fn a_failing_refresh_is_not_started_by_every_reader() {
    for Subject { name, cache, clock } in subjects() {
        let policy = Policy::ttl(SECOND).swr(600 * SECOND);
        cache.set("n", 1_u32, &policy).await.expect("set");
        clock.advance(2 * SECOND);
        for _ in 0..20 {
            let read = cache.try_get_or_load("n", &policy, || async { Err::<u32, _>("down") }).await;
            assert_eq!(read.as_deref(), Ok(&1), "{name}");
            in_time(cache.settle()).await.expect("settled");
        }
        assert_eq!(cache.stats().loads, 1, "{name}");
    }
}

/// The windows are those of the policy that the load is made under, also where the entry would last longer.
#[tokio::test]
async fn each_window_is_the_readers_own() {
    for Subject { name, cache, clock } in subjects() {
        let strict = Policy::ttl(10 * SECOND).swr(2 * SECOND).sie(5 * SECOND);
        let fail = || async { Err::<u32, _>("down") };
        cache.set("n", 1_u32, policy()).await.expect("set");
        clock.advance(14 * SECOND);
        let read = cache.try_get_or_load("n", &strict, fail).await;
        assert_eq!(read.as_deref(), Ok(&1), "{name}: 4 s stale");
        cache.invalidate("other").await.expect("ok");
        clock.advance(2 * SECOND);
        let read = cache.try_get_or_load("n", &strict, fail).await;
        assert_eq!(read.as_deref(), Err(&"down"), "{name}: 6 s stale");
    }
}
