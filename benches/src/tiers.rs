//! Hits in the memory that stands in front of a Redis, beside those of memory alone: what it costs to have two tiers where
//! the second is not needed.
//!
//! Every cache holds all keys in both of its tiers before the race. cachet has no Redis of its own; its second tier is
//! memory, which a hit never reaches. multi-tier-cache keeps bytes: its typed read parses JSON on every hit.

use std::io;
use std::sync::Arc;

use larder::{Larder, Memory, Redis};
use multi_tier_cache::{Bytes, CacheManager, CacheStrategy, L1Cache, L2Cache, MokaCacheConfig};
use tick::Clock;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::contender::{Lap, Profile, TTL};
use crate::contenders::block_on;
use crate::race::Entrant;
use crate::redis_server::RedisServer;
use crate::workload::Stream;

/// The entrant whose times the others' are divided by.
pub const REFERENCE: &str = "larder, memory alone";

/// Room for all keys, with what a sharded cache needs on top.
const ROOM: usize = 20_000;

const SOUND: &str = "what was stored can be read";

/// The second tier of those who have one that is no memory, and what their connections run on.
pub struct Far {
    server: RedisServer,
    runtime: Runtime,
}

impl Far {
    /// Starts a server.
    ///
    /// # Errors
    /// As [`RedisServer::start`].
    pub fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { server: RedisServer::start()?, runtime })
    }

    /// All that run, filled with the keys of `stream`.
    pub fn entrants<'k>(&self, stream: &'k Stream) -> Vec<Entrant<&'k str>> {
        let keys: Vec<&str> = stream.keys().collect();
        let handle = self.runtime.handle();
        let (cachet, bytes) =
            (handle.block_on(cachet(&keys)), handle.block_on(bytes(&self.server.url(), &keys)));
        let bytes = Arc::new(bytes);
        vec![
            Entrant::new(REFERENCE, waited(Larder::memory(ROOM), &keys)),
            Entrant::new("larder, two tiers", waited(handle.block_on(self.larder()), &keys)),
            Entrant::new("larder, two tiers, await", awaited(handle.block_on(self.larder()), &keys)),
            Entrant::new(
                "cachet, two tiers",
                within(handle, {
                    async move |key: &&str, lap: &mut Lap| {
                        let entry = cachet.get(*key).await.expect(SOUND);
                        lap.visit(entry.as_deref().map(Arc::as_ref));
                    }
                }),
            ),
            Entrant::new(
                "multi-tier-cache, bytes",
                within(handle, {
                    let cache = bytes.clone();
                    async move |key: &&str, lap: &mut Lap| match cache.get(key).await.expect(SOUND) {
                        Some(bytes) => lap.sum = lap.sum.wrapping_add(bytes.len() as u64),
                        None => lap.misses += 1,
                    }
                }),
            ),
            Entrant::new(
                "multi-tier-cache, typed",
                within(handle, {
                    async move |key: &&str, lap: &mut Lap| {
                        lap.visit(bytes.get_typed::<Profile>(key).await.expect(SOUND).as_ref());
                    }
                }),
            ),
        ]
    }

    async fn larder(&self) -> Larder {
        let redis = Redis::connect(&self.server.url()).await.expect("the address is its own");
        Larder::builder().memory(Memory::builder().capacity(ROOM).build()).redis(redis).build()
    }
}

fn fill(cache: &Larder, keys: &[&str]) {
    for (id, key) in (0..).zip(keys) {
        cache.set(key, Profile::new(id), TTL).wait().expect(SOUND);
        // What is stored is in Redis; what is read is in memory, too.
        let _: Option<Arc<Profile>> = cache.get(key).wait().expect(SOUND);
    }
}

fn waited(cache: Larder, keys: &[&str]) -> impl Fn(&[&str]) -> Lap + Sync + 'static {
    fill(&cache, keys);
    move |keys| {
        let mut lap = Lap::default();
        for key in keys {
            lap.visit(cache.get::<Profile>(key).wait().expect(SOUND).as_deref());
        }
        lap
    }
}

fn awaited(cache: Larder, keys: &[&str]) -> impl Fn(&[&str]) -> Lap + Sync + 'static {
    fill(&cache, keys);
    move |keys| {
        block_on(async {
            let mut lap = Lap::default();
            for key in keys {
                lap.visit(cache.get::<Profile>(key).await.expect(SOUND).as_deref());
            }
            lap
        })
    }
}

/// A lap inside of the runtime that the others' connections and clocks want.
fn within<'k>(
    handle: &Handle,
    visit: impl AsyncFn(&&'k str, &mut Lap) + Sync + 'static,
) -> impl Fn(&[&'k str]) -> Lap + Sync + 'static {
    let handle = handle.clone();
    move |keys| {
        let _inside = handle.enter();
        block_on(async {
            let mut lap = Lap::default();
            for key in keys {
                visit(key, &mut lap).await;
            }
            lap
        })
    }
}

async fn cachet(keys: &[&str]) -> cachet::Cache<String, Arc<Profile>> {
    let clock = Clock::new_tokio();
    let far = cachet::Cache::builder(clock.clone()).memory();
    let cache = cachet::Cache::builder(clock).memory().ttl(TTL).fallback(far).build();
    for (id, key) in (0..).zip(keys) {
        cache.insert((*key).to_owned(), Arc::new(Profile::new(id))).await.expect(SOUND);
    }
    cache
}

async fn bytes(url: &str, keys: &[&str]) -> CacheManager {
    let config = MokaCacheConfig { max_capacity: ROOM as u64, time_to_live: TTL, time_to_idle: TTL };
    let near = Arc::new(L1Cache::new(config).expect(SOUND));
    let far = Arc::new(L2Cache::with_url(url).await.expect(SOUND));
    let cache = CacheManager::new(near, far).await.expect(SOUND);
    for (id, key) in (0..).zip(keys) {
        let value = Bytes::from(serde_json::to_vec(&Profile::new(id)).expect(SOUND));
        cache.set_with_strategy(key, value, CacheStrategy::Custom(TTL)).await.expect(SOUND);
    }
    cache
}
