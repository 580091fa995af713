//! `cached`'s sharded store with LRU and a TTL: what its macros put concurrent functions on.

use std::sync::Arc;

use cached::ShardedLruTtlCache;

use crate::contender::{Contender, Profile, TTL};

/// Loads by its own `get_or_set_with`, which takes the key by value.
pub struct Cached(ShardedLruTtlCache<String, Arc<Profile>>);

impl Cached {
    /// At most about `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self(ShardedLruTtlCache::new(capacity, TTL))
    }
}

impl Contender for Cached {
    fn name(&self) -> &'static str {
        "cached (sharded LRU+TTL)"
    }

    #[inline]
    fn get(&self, key: &str) -> Option<Arc<Profile>> {
        self.0.get(key)
    }

    #[inline]
    fn insert(&self, key: &str, value: Profile) {
        self.0.set(key.to_owned(), Arc::new(value));
    }

    #[inline]
    fn get_or_insert(&self, key: &str, load: impl FnOnce() -> Profile) -> Arc<Profile> {
        self.0.get_or_set_with(key.to_owned(), || Arc::new(load()))
    }
}

/// Loads by `get`, then `set`, so that a hit needs no key of its own.
pub struct CachedGetThenSet(Cached);

impl CachedGetThenSet {
    /// At most about `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self(Cached::new(capacity))
    }
}

impl Contender for CachedGetThenSet {
    fn name(&self) -> &'static str {
        "cached, get then set"
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
            self.0.0.set(key.to_owned(), value.clone());
            value
        })
    }
}
