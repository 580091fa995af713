//! moka's synchronous cache: W-TinyLFU, with its reads and writes recorded in channels.

use std::sync::Arc;

use moka::sync::Cache;

use crate::contender::{Contender, Profile, TTL};

/// With a time to live.
pub struct Moka(Cache<String, Arc<Profile>>);

impl Moka {
    /// At most about `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self(Cache::builder().max_capacity(capacity as u64).time_to_live(TTL).build())
    }
}

impl Contender for Moka {
    fn name(&self) -> &'static str {
        "moka (sync)"
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
        self.0.get_with_by_ref(key, || Arc::new(load()))
    }
}
