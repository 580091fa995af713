//! foyer's in-memory cache: no TTL, and its `get_or_fetch` is asynchronous and wants tokio, so it loads by `get`,
//! then `insert`.

use std::sync::Arc;

use foyer_memory::{Cache, CacheBuilder};

use crate::contender::{Contender, Profile};

/// With its default eviction.
pub struct Foyer(Cache<String, Arc<Profile>>);

impl Foyer {
    /// At most `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self(CacheBuilder::new(capacity).build())
    }
}

impl Contender for Foyer {
    fn name(&self) -> &'static str {
        "foyer (in memory)"
    }

    #[inline]
    fn get(&self, key: &str) -> Option<Arc<Profile>> {
        self.0.get(key).map(|entry| Arc::clone(entry.value()))
    }

    #[inline]
    fn insert(&self, key: &str, value: Profile) {
        self.0.insert(key.to_owned(), Arc::new(value));
    }

    #[inline]
    fn get_or_insert(&self, key: &str, load: impl FnOnce() -> Profile) -> Arc<Profile> {
        self.get(key).unwrap_or_else(|| Arc::clone(self.0.insert(key.to_owned(), Arc::new(load())).value()))
    }
}
