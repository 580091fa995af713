//! moka, asynchronous and synchronous.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;

use super::{Answer, CAPACITY, Loaded, Loader, SYNCHRONOUS, at_once, done, on_a_thread};
use crate::races::library::Library;
use crate::races::verdict::Stop;

/// The values carry their TTLs, and the cache asks for them when an entry is created: the example that moka's
/// documentation gives for `Expiry`.
type Value = (u64, Duration);

const TTL: Duration = Duration::from_secs(60);

struct OfItsOwn;

impl Expiry<String, Value> for OfItsOwn {
    fn expire_after_create(&self, _: &String, value: &Value, _: Instant) -> Option<Duration> {
        Some(value.1)
    }
}

pub(super) struct Future(moka::future::Cache<String, Value>);

impl Default for Future {
    fn default() -> Self {
        let builder = moka::future::Cache::builder().max_capacity(CAPACITY as u64);
        Self(builder.support_invalidation_closures().expire_after(OfItsOwn).build())
    }
}

impl Library for Future {
    fn name(&self) -> &'static str {
        "moka (future)"
    }

    fn another(&self) -> Arc<dyn Library> {
        Arc::new(Self::default())
    }

    fn load(&self, key: &str, loader: Loader) -> Answer<'static, Loaded> {
        let (cache, key) = (self.0.clone(), key.to_owned());
        Box::pin(async move {
            let load = async { loader().await.map(|value| (value, TTL)) };
            Ok(cache.try_get_with(key, load).await.map(|value| value.0).map_err(|error| *error))
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        Box::pin(async move { Ok(self.0.get(key).await.map(|value| value.0)) })
    }

    fn set<'a>(&'a self, key: &'a str, value: u64) -> Answer<'a, ()> {
        self.set_for(key, value, TTL)
    }

    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        done(async move { self.0.invalidate(key).await })
    }

    fn clear(&self) -> Answer<'_, ()> {
        at_once(|| self.0.invalidate_all())
    }

    fn remove_prefix<'a>(&'a self, prefix: &'a str) -> Answer<'a, ()> {
        let prefix = prefix.to_owned();
        at_once(move || {
            let matches = move |key: &String, _: &Value| key.starts_with(&prefix);
            drop(self.0.invalidate_entries_if(matches).expect("the cache supports closures"));
        })
    }

    fn set_for<'a>(&'a self, key: &'a str, value: u64, ttl: Duration) -> Answer<'a, ()> {
        done(async move { self.0.insert(key.to_owned(), (value, ttl)).await })
    }
}

pub(super) struct Sync(moka::sync::Cache<String, Value>);

impl Default for Sync {
    fn default() -> Self {
        let builder = moka::sync::Cache::builder().max_capacity(CAPACITY as u64);
        Self(builder.support_invalidation_closures().expire_after(OfItsOwn).build())
    }
}

impl Library for Sync {
    fn name(&self) -> &'static str {
        "moka (sync)"
    }

    fn another(&self) -> Arc<dyn Library> {
        Arc::new(Self::default())
    }

    fn load(&self, key: &str, loader: Loader) -> Answer<'static, Loaded> {
        let (cache, key) = (self.0.clone(), key.to_owned());
        on_a_thread(move |run| {
            let load = || run(loader()).map(|value| (value, TTL));
            cache.try_get_with(key, load).map(|value| value.0).map_err(|error| *error)
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        at_once(move || self.0.get(key).map(|value| value.0))
    }

    fn set<'a>(&'a self, key: &'a str, value: u64) -> Answer<'a, ()> {
        self.set_for(key, value, TTL)
    }

    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        at_once(move || self.0.invalidate(key))
    }

    fn clear(&self) -> Answer<'_, ()> {
        at_once(|| self.0.invalidate_all())
    }

    fn remove_prefix<'a>(&'a self, prefix: &'a str) -> Answer<'a, ()> {
        let prefix = prefix.to_owned();
        at_once(move || {
            let matches = move |key: &String, _: &Value| key.starts_with(&prefix);
            drop(self.0.invalidate_entries_if(matches).expect("the cache supports closures"));
        })
    }

    fn set_for<'a>(&'a self, key: &'a str, value: u64, ttl: Duration) -> Answer<'a, ()> {
        at_once(move || self.0.insert(key.to_owned(), (value, ttl)))
    }

    fn can_be_cancelled(&self) -> Result<(), Stop> {
        Err(SYNCHRONOUS)
    }
}
