//! larder, over its own memory: a TTL on every entry, counters and fences on, as they always are.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use larder::{Larder, Memory, Policy};

use crate::contender::{Contender, Lap, Profile, TTL};

const SOUND: &str = "memory answers, and holds nothing but profiles";

/// Read by `get(key).wait()`, loads by `get_or_compute`.
pub struct LarderWait {
    name: &'static str,
    cache: Larder,
    tagged: bool,
}

impl LarderWait {
    /// At most `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self { name: "larder, wait()", cache: Larder::memory(capacity), tagged: false }
    }

    /// In a namespace, which prefixes every key.
    pub fn namespaced(capacity: usize) -> Self {
        let memory = Memory::builder().capacity(capacity).build();
        let cache = Larder::builder().namespace("campus").memory(memory).build();
        Self { name: "larder, wait(), namespace", cache, tagged: false }
    }

    /// In memory in front of another cache, which has everything, too.
    pub fn tiered(capacity: usize) -> Self {
        let [near, far] = [capacity; 2].map(|capacity| Memory::builder().capacity(capacity).build());
        let cache = Larder::builder().memory(near).backend(far).build();
        Self { name: "larder, wait(), two tiers", cache, tagged: false }
    }

    /// With a tag on every entry.
    pub fn tagged(capacity: usize) -> Self {
        Self { name: "larder, wait(), one tag", cache: Larder::memory(capacity), tagged: true }
    }
}

impl Contender for LarderWait {
    fn name(&self) -> &'static str {
        self.name
    }

    #[inline]
    fn get(&self, key: &str) -> Option<Arc<Profile>> {
        self.cache.get(key).wait().expect(SOUND)
    }

    #[inline]
    fn insert(&self, key: &str, value: Profile) {
        let reply = if self.tagged {
            self.cache.set(key, value, Policy::ttl(TTL).tags(["users"]))
        } else {
            self.cache.set(key, value, TTL)
        };
        reply.wait().expect(SOUND);
    }

    #[inline]
    fn get_or_insert(&self, key: &str, load: impl FnOnce() -> Profile) -> Arc<Profile> {
        self.cache.get_or_compute(key, TTL, load)
    }
}

/// Loads by `get`, then `set`: callers do not share a load, and no fence is taken.
pub struct LarderGetThenSet(LarderWait);

impl LarderGetThenSet {
    /// At most `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self(LarderWait::new(capacity))
    }
}

impl Contender for LarderGetThenSet {
    fn name(&self) -> &'static str {
        "larder, get then set"
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
            self.0.cache.set_shared(key, value.clone(), TTL).wait().expect(SOUND);
            value
        })
    }
}

/// Read by `get(key).await`, loads by `get_or_load`: a whole lap is one future.
pub struct LarderAwait(Larder);

impl LarderAwait {
    /// At most `capacity` entries.
    pub fn new(capacity: usize) -> Self {
        Self(Larder::memory(capacity))
    }
}

impl Contender for LarderAwait {
    fn name(&self) -> &'static str {
        "larder, await"
    }

    fn get(&self, key: &str) -> Option<Arc<Profile>> {
        block_on(self.0.get(key)).expect(SOUND)
    }

    fn insert(&self, key: &str, value: Profile) {
        block_on(self.0.set(key, value, TTL)).expect(SOUND);
    }

    fn get_or_insert(&self, key: &str, load: impl FnOnce() -> Profile) -> Arc<Profile> {
        block_on(self.0.get_or_load(key, TTL, || async { load() }))
    }

    #[inline]
    fn get_each(&self, keys: &[&str]) -> Lap {
        block_on(async {
            let mut lap = Lap::default();
            for key in keys {
                lap.visit(self.0.get(key).await.expect(SOUND).as_deref());
            }
            lap
        })
    }

    #[inline]
    fn get_or_insert_each(&self, keys: &[&str]) -> Lap {
        block_on(async {
            let mut lap = Lap::default();
            for key in keys {
                let mut missed = 0;
                let load = async || {
                    missed = 1;
                    Profile::new(7)
                };
                let profile: Arc<Profile> = self.0.get_or_load(key, TTL, load).await;
                lap.visit(Some(&profile));
                lap.misses += missed;
            }
            lap
        })
    }

    #[inline]
    fn insert_each(&self, keys: &[&str]) -> Lap {
        block_on(async {
            for key in keys {
                self.0.set(key, Profile::new(7), TTL).await.expect(SOUND);
            }
            Lap::default()
        })
    }
}

/// Polls until it is ready, with a waker that wakes nobody: an executor that costs nothing.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
