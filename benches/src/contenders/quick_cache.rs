//! quick_cache: a bounded map under S3-FIFO and Clock-PRO ideas, sharded. It has no TTL.

use std::convert::Infallible;
use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::contender::{Contender, Profile};

/// Loads by its own `get_or_insert_with`.
pub struct QuickCache(Cache<String, Arc<Profile>>);

impl QuickCache {
    /// At most `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self(Cache::new(capacity))
    }
}

impl Contender for QuickCache {
    fn name(&self) -> &'static str {
        "quick_cache"
    }

    #[inline]
    fn get(&self, key: &str) -> Option<Arc<Profile>> {
        self.0.get(key)
    }

    #[inline]
    fn insert(&self, key: &str, value: Profile) {
        self.0.insert(key.to_owned(), Arc::new(value));
    }

    #[inline]
    fn get_or_insert(&self, key: &str, load: impl FnOnce() -> Profile) -> Arc<Profile> {
        let loaded: Result<_, Infallible> = self.0.get_or_insert_with(key, || Ok(Arc::new(load())));
        match loaded {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }
}

/// Loads by `get`, then `insert`: callers do not share a load.
pub struct QuickCacheGetThenInsert(QuickCache);

impl QuickCacheGetThenInsert {
    /// At most `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self(QuickCache::new(capacity))
    }
}

impl Contender for QuickCacheGetThenInsert {
    fn name(&self) -> &'static str {
        "quick_cache, get then insert"
    }

    #[inline]
    fn get(&self, key: &str) -> Option<Arc<Profile>> {
        self.0.get(key)
    }

    #[inline]
    fn insert(&self, key: &str, value: Profile) {
        self.0.insert(key, value);
    }

    #[inline]
    fn get_or_insert(&self, key: &str, load: impl FnOnce() -> Profile) -> Arc<Profile> {
        self.get(key).unwrap_or_else(|| {
            let value = Arc::new(load());
            self.0.0.insert(key.to_owned(), value.clone());
            value
        })
    }
}
