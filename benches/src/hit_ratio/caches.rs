//! What is replayed through: each cache as its own documentation builds it, at exactly the capacity that is asked for.

use cached::{Cached as _, LruCache};
use foyer_memory::{CacheBuilder, S3FifoConfig};
use larder::Larder;

use crate::contender::TTL;

const SOUND: &str = "memory answers, and holds nothing but these";

/// A cache that a trace is replayed through.
pub trait Replayed {
    /// Whether `key` is there; stores it where it is not.
    fn visit(&mut self, key: &str) -> bool;
}

/// Builds a cache of a capacity in entries.
pub type Make = fn(usize) -> Box<dyn Replayed>;

/// All of them, as the table has them.
pub const CACHES: [(&str, Make); 5] = [
    ("larder", |capacity| Box::new(Larder::memory(capacity))),
    ("moka", |capacity| Box::new(moka::sync::Cache::<String, ()>::new(capacity as u64))),
    ("quick_cache", |capacity| Box::new(quick_cache::sync::Cache::<String, ()>::new(capacity))),
    ("foyer S3-FIFO", |capacity| {
        let cache: Foyer = CacheBuilder::new(capacity).with_eviction_config(S3FifoConfig::default()).build();
        Box::new(cache)
    }),
    ("cached LRU", |capacity| Box::new(LruCache::<String, ()>::new(capacity))),
];

type Foyer = foyer_memory::Cache<String, ()>;

impl Replayed for Larder {
    fn visit(&mut self, key: &str) -> bool {
        let found = self.get::<bool>(key).wait().expect(SOUND).is_some();
        if !found {
            self.set(key, true, TTL).wait().expect(SOUND);
        }
        found
    }
}

impl Replayed for moka::sync::Cache<String, ()> {
    fn visit(&mut self, key: &str) -> bool {
        let found = self.get(key).is_some();
        if !found {
            self.insert(key.to_owned(), ());
            // Otherwise it holds more than its capacity until it gets round to it.
            self.run_pending_tasks();
        }
        found
    }
}

impl Replayed for quick_cache::sync::Cache<String, ()> {
    fn visit(&mut self, key: &str) -> bool {
        let found = self.get(key).is_some();
        if !found {
            self.insert(key.to_owned(), ());
        }
        found
    }
}

impl Replayed for Foyer {
    fn visit(&mut self, key: &str) -> bool {
        let found = self.get(key).is_some();
        if !found {
            self.insert(key.to_owned(), ());
        }
        found
    }
}

impl Replayed for LruCache<String, ()> {
    fn visit(&mut self, key: &str) -> bool {
        let found = self.cache_get(key).is_some();
        if !found {
            self.cache_set(key.to_owned(), ());
        }
        found
    }
}
