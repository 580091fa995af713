//! Every fence that is taken is given back, however its load ends.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use larder::testing::Plain;
use larder::{
    Cache, Entry, Fence, Kind, Larder, Lifetime, ManualClock, Policy, Reply, Set, Stored, Strength, Target,
    Usage, Value,
};

/// Counts the fences in use.
struct Counting {
    cache: Plain,
    taken: Arc<AtomicI64>,
    in_use: Arc<AtomicI64>,
}

impl Cache for Counting {
    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.cache.get(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.cache.ttl(key)
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        self.cache.set(key, value, options)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.cache.delete(key)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.cache.invalidate(target, strength)
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.cache.expire(key, ttl)
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.cache.incr(key, delta, lifetime)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.taken.fetch_add(1, Ordering::SeqCst);
        self.in_use.fetch_add(1, Ordering::SeqCst);
        self.cache.fence(key)
    }

    fn release(&self, key: &str, fence: Fence) {
        self.in_use.fetch_sub(1, Ordering::SeqCst);
        self.cache.release(key, fence);
    }

    fn usage(&self) -> Usage {
        self.cache.usage()
    }
}

#[tokio::test]
async fn every_fence_is_given_back() {
    const TTL: Duration = Duration::from_secs(60);
    let clock = ManualClock::new();
    let (taken, in_use) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let counting =
        Counting { cache: Plain::new(clock.clock()), taken: taken.clone(), in_use: in_use.clone() };
    let cache = Larder::builder().clock(clock.clock()).backend(counting).build();

    assert_eq!(*cache.get_or_load("value", TTL, || async { 1_u8 }).await, 1);
    assert!(cache.try_get_or_load("error", TTL, || async { Err::<u8, _>(()) }).await.is_err());
    assert_eq!(*cache.get_or_compute("computed", TTL, || 1_u8), 1);
    {
        let mut cancelled = pin!(cache.get_or_load("cancelled", TTL, pending::<u8>));
        assert!(cancelled.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(in_use.load(Ordering::SeqCst), 1, "while it runs");
    }
    let panicking = cache.clone();
    let load = async move {
        panicking.get_or_load::<u8, _, _>("panic", TTL, || async { panic!("as wanted") }).await
    };
    assert!(tokio::spawn(load).await.is_err());
    let policy = Policy::ttl(TTL).swr(TTL);
    cache.set("refreshed", 1_u8, &policy).await.expect("set");
    clock.advance(TTL);
    assert_eq!(*cache.get_or_load("refreshed", &policy, || async { 2_u8 }).await, 1);
    while cache.get::<u8>("refreshed").await.expect("readable").is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!((taken.load(Ordering::SeqCst), in_use.load(Ordering::SeqCst)), (6, 0));
}
