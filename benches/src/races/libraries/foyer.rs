//! foyer's in-memory cache. It spawns its loads.

use std::sync::Arc;

use foyer_memory::{Cache, CacheBuilder};

use super::{Answer, CAPACITY, Loaded, Loader, at_once};
use crate::races::library::{Failed, Library};
use crate::races::verdict::Stop;

pub(super) struct Foyer(Cache<String, u64>);

impl Default for Foyer {
    fn default() -> Self {
        Self(CacheBuilder::new(CAPACITY).build())
    }
}

impl Library for Foyer {
    fn name(&self) -> &'static str {
        "foyer"
    }

    fn another(&self) -> Arc<dyn Library> {
        Arc::new(Self::default())
    }

    fn load(&self, key: &str, loader: Loader) -> Answer<'static, Loaded> {
        let (cache, key) = (self.0.clone(), key.to_owned());
        Box::pin(async move {
            let entry = cache.get_or_fetch(key.as_str(), loader).await;
            Ok(entry.map(|entry| *entry.value()).map_err(|_| Failed))
        })
    }

    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>> {
        at_once(move || self.0.get(key).map(|entry| *entry.value()))
    }

    fn set<'a>(&'a self, key: &'a str, value: u64) -> Answer<'a, ()> {
        at_once(move || drop(self.0.insert(key.to_owned(), value)))
    }

    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        at_once(move || drop(self.0.remove(key)))
    }

    fn clear(&self) -> Answer<'_, ()> {
        at_once(|| self.0.clear())
    }

    fn fills_in_the_background(&self) -> Result<(), Stop> {
        Ok(())
    }
}
