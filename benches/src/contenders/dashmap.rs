//! dashmap: a sharded map, not a cache. It neither evicts nor expires: the cost of a lookup alone.

use std::sync::Arc;

use dashmap::DashMap;

use crate::contender::{Contender, Profile};

/// A map that only grows.
#[derive(Default)]
pub struct Dashmap(DashMap<String, Arc<Profile>>);

impl Dashmap {
    /// As large as it gets.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Contender for Dashmap {
    fn name(&self) -> &'static str {
        "dashmap (never evicts)"
    }

    #[inline]
    fn get(&self, key: &str) -> Option<Arc<Profile>> {
        self.0.get(key).map(|value| Arc::clone(&value))
    }

    #[inline]
    fn insert(&self, key: &str, value: Profile) {
        self.0.insert(key.to_owned(), Arc::new(value));
    }

    #[inline]
    fn get_or_insert(&self, key: &str, load: impl FnOnce() -> Profile) -> Arc<Profile> {
        self.get(key)
            .unwrap_or_else(|| Arc::clone(&self.0.entry(key.to_owned()).or_insert_with(|| Arc::new(load()))))
    }
}
