//! The two macros of `cached`. Each function has one cache for the whole process, so scenarios choose keys of their own.

use std::sync::Arc;
use std::time::Duration;

use cached::{Cached as _, ShardedLruTtlCache};

use super::{Answer, Loaded, Loader, at_once, done};
use crate::races::library::{Failed, Library, Windows, none};

#[cached::macros::cached(
    max_size = 10_000,
    ttl_secs = 60,
    sync_writes = "by_key",
    key = "String",
    convert = { key.clone() }
)]
async fn by_key(key: String, loader: Loader) -> Result<u64, Failed> {
    // In an `async fn` that the macro rewrites, the arguments stay as they are.
    let _ = &key;
    loader().await
}

#[cached::macros::concurrent_cached(
    max_size = 10_000,
    ttl_secs = 60,
    key = "String",
    convert = { key.clone() }
)]
async fn concurrent(key: String, loader: Loader) -> Result<u64, Failed> {
    let _ = &key;
    loader().await
}

/// Its TTL is that of the scenario: [`scenarios::WINDOWS`](crate::races::scenarios::WINDOWS).
#[cached::macros::concurrent_cached(
    max_size = 10_000,
    ttl_millis = 100,
    result_fallback = true,
    key = "String",
    convert = { key.clone() }
)]
async fn falling_back(key: String, loader: Loader) -> Result<u64, Failed> {
    let _ = &key;
    loader().await
}

const OF_VALUES: &str = "TTLs per entry are up to the values (`Expires`)";

/// `#[cached(sync_writes = "by_key")]`.
pub(super) struct ByKey;

impl Library for ByKey {
    fn name(&self) -> &'static str {
        "cached, `#[cached]` by key"
    }

    fn another(&self) -> Arc<dyn Library> {
        Arc::new(Concurrent)
    }

    fn load(&self, key: &str, loader: Loader) -> Answer<'static, Loaded> {
        let key = key.to_owned();
        Box::pin(async move { Ok(by_key(key, loader).await) })
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        Box::pin(async move { Ok(BY_KEY.write().await.cache_get(key).copied()) })
    }

    fn set<'a>(&'a self, key: &'a str, value: u64) -> Answer<'a, ()> {
        done(async move { BY_KEY.write().await.cache_set(key.to_owned(), value) })
    }

    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        done(async move { BY_KEY.write().await.cache_remove(key) })
    }

    fn clear(&self) -> Answer<'_, ()> {
        done(async { BY_KEY.write().await.cache_clear() })
    }

    fn remove_prefix<'a>(&'a self, prefix: &'a str) -> Answer<'a, ()> {
        done(async move { BY_KEY.write().await.retain(|key, _| !key.starts_with(prefix)) })
    }

    fn set_for<'a>(&'a self, _: &'a str, _: u64, _: Duration) -> Answer<'a, ()> {
        none(OF_VALUES)
    }
}

/// There is none before the first call.
fn store() -> Option<&'static ShardedLruTtlCache<String, u64>> {
    CONCURRENT.get()
}

/// `#[concurrent_cached]`: its callers do not share loads.
pub(super) struct Concurrent;

impl Library for Concurrent {
    fn name(&self) -> &'static str {
        "cached, `#[concurrent_cached]`"
    }

    fn another(&self) -> Arc<dyn Library> {
        Arc::new(ByKey)
    }

    fn load(&self, key: &str, loader: Loader) -> Answer<'static, Loaded> {
        let key = key.to_owned();
        Box::pin(async move { Ok(concurrent(key, loader).await) })
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        at_once(move || store()?.get(key))
    }

    fn set<'a>(&'a self, key: &'a str, value: u64) -> Answer<'a, ()> {
        at_once(move || {
            store().expect("a load comes first").set(key.to_owned(), value);
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        at_once(move || {
            store().map(|store| store.remove(key));
        })
    }

    fn clear(&self) -> Answer<'_, ()> {
        at_once(|| store().map_or((), ShardedLruTtlCache::clear))
    }

    fn remove_prefix<'a>(&'a self, prefix: &'a str) -> Answer<'a, ()> {
        at_once(move || {
            store().map(|store| store.retain(|key, _| !key.starts_with(prefix)));
        })
    }

    fn set_for<'a>(&'a self, _: &'a str, _: u64, _: Duration) -> Answer<'a, ()> {
        none(OF_VALUES)
    }

    fn load_stale(&self, key: &str, windows: Windows, loader: Loader) -> Answer<'static, Loaded> {
        if !windows.swr.is_zero() {
            return none("does not refresh what is stale");
        }
        let key = key.to_owned();
        Box::pin(async move { Ok(falling_back(key, loader).await) })
    }
}
