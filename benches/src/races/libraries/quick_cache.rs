//! quick_cache.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::{Answer, CAPACITY, Loaded, Loader, at_once};
use crate::races::library::Library;

pub(super) struct QuickCache(Arc<Cache<String, u64>>);

impl Default for QuickCache {
    fn default() -> Self {
        Self(Arc::new(Cache::new(CAPACITY)))
    }
}

impl Library for QuickCache {
    fn name(&self) -> &'static str {
        "quick_cache"
    }

    fn another(&self) -> Arc<dyn Library> {
        Arc::new(Self::default())
    }

    fn load(&self, key: &str, loader: Loader) -> Answer<'static, Loaded> {
        let (cache, key) = (self.0.clone(), key.to_owned());
        Box::pin(async move { Ok(cache.get_or_insert_async(&key, async { loader().await }).await) })
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        at_once(move || self.0.get(key))
    }

    fn set<'a>(&'a self, key: &'a str, value: u64) -> Answer<'a, ()> {
        at_once(move || self.0.insert(key.to_owned(), value))
    }

    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        at_once(move || drop(self.0.remove(key)))
    }

    fn clear(&self) -> Answer<'_, ()> {
        at_once(|| self.0.clear())
    }

    fn remove_prefix<'a>(&'a self, prefix: &'a str) -> Answer<'a, ()> {
        at_once(move || self.0.retain(|key, _| !key.starts_with(prefix)))
    }
}
