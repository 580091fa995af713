//! How a [`Larder`] is put together.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "memory")]
use backend_memory::Memory;
#[cfg(feature = "moka")]
use backend_memory::Moka;
#[cfg(feature = "redis")]
use backend_redis::Redis;
use cache_core::{Cache, Clock, EngineBuilder, Result};

use crate::Larder;

/// Puts a [`Larder`] together. Without a backend it holds 10 000 entries in memory.
///
/// ```
/// use larder::{Larder, Memory};
///
/// let cache = Larder::builder()
///     .namespace("campus")
///     .memory(Memory::builder().capacity(100_000).build())
///     .build();
/// # let _ = cache;
/// ```
#[derive(Default)]
pub struct LarderBuilder {
    engine: EngineBuilder,
    namespace: Option<String>,
    clock: Clock,
    backend: Option<Arc<dyn Cache>>,
    disabled: bool,
}

impl LarderBuilder {
    /// Prefixes every key, tag and pattern with `namespace` and a `:`, so that caches over one backend do not
    /// see each other. Over Redis, tell [`RedisBuilder::namespace`](crate::RedisBuilder::namespace) instead: it keeps
    /// them apart in Redis itself, where `clear` is then constant work, and does not walk over the keys of all others.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Holds entries in process memory.
    #[cfg(feature = "memory")]
    #[must_use]
    pub fn memory(self, memory: Memory) -> Self {
        self.backend(memory)
    }

    /// Holds entries in process memory too, with moka choosing which of them give way.
    ///
    /// ```
    /// use larder::{Larder, Moka, ttl};
    ///
    /// let cache = Larder::builder().moka(Moka::new(100_000)).build();
    /// cache.set("school:7:name", "Lakeside".to_owned(), ttl::LONG).wait()?;
    /// cache.invalidate_pattern("school:*").wait()?;
    /// assert!(cache.get::<String>("school:7:name").wait()?.is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[cfg(feature = "moka")]
    #[must_use]
    pub fn moka(self, moka: Moka) -> Self {
        self.backend(moka)
    }

    /// Holds entries in a Redis, where all processes that use it find them. Every read is then a round trip: memory in
    /// front of it is not built yet, so the last of `memory`, `redis` and `backend` is the one that counts.
    ///
    /// ```no_run
    /// # async fn example() -> larder::Result<()> {
    /// use larder::{Larder, Redis};
    ///
    /// let redis = Redis::builder("redis://127.0.0.1/").namespace("campus");
    /// let redis = redis.connect().await?; // also while there is none
    /// let cache = Larder::builder().redis(redis).build();
    /// # let _ = cache;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn redis(self, redis: Redis) -> Self {
        self.backend(redis)
    }

    /// Holds entries in a backend of your own.
    #[must_use]
    pub fn backend(mut self, backend: impl Cache) -> Self {
        self.backend = Some(Arc::new(backend));
        self
    }

    /// The clock that loads are timed by; also that of the memory which is built where no backend is given. A backend
    /// that *is* given goes by the clock that it was built with: this one does not reach it. So give a
    /// [`ManualClock`](crate::ManualClock)'s to both.
    ///
    /// ```
    /// use larder::{Larder, ManualClock, Memory};
    /// use std::time::Duration;
    ///
    /// let clock = ManualClock::new();
    /// let store = Memory::builder().capacity(1_000).clock(clock.clock()).build();
    /// let cache = Larder::builder().clock(clock.clock()).memory(store).build();
    /// cache.set("session", 1_u8, Duration::from_secs(60)).wait()?;
    /// clock.advance(Duration::from_secs(60));
    /// assert!(!cache.exists("session").wait()?);
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// What it is called in metrics and events; its namespace, or `default`, if not told otherwise. Caches of one name
    /// add to the same counters.
    #[must_use]
    pub fn name(mut self, name: impl Into<Box<str>>) -> Self {
        self.engine = self.engine.name(name);
        self
    }

    /// Loads that take longer than this (a second by default) are counted as slow, and warned of.
    #[must_use]
    pub fn slow_load(mut self, time: Duration) -> Self {
        self.engine = self.engine.slow_load(time);
        self
    }

    /// How many keys can be in flight at once (65 536 by default); loads of further ones are not shared, and what is
    /// stale within `swr` is served without being refreshed.
    #[must_use]
    pub fn max_flights(mut self, flights: usize) -> Self {
        self.engine = self.engine.max_flights(flights);
        self
    }

    /// How many loads may run in the background at once (256 by default); beyond it, what is stale stays stale.
    #[must_use]
    pub fn max_background(mut self, loads: usize) -> Self {
        self.engine = self.engine.max_background(loads);
        self
    }

    /// How many loads may run at once; further ones wait their turn. No bound by default. Loads that another load
    /// asks for are not counted, as it waits for them.
    #[must_use]
    pub fn max_loads(mut self, loads: usize) -> Self {
        self.engine = self.engine.max_loads(loads);
        self
    }

    /// The TTL of [`Policy::default`](crate::Policy::default): five minutes if not told otherwise.
    #[must_use]
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.engine = self.engine.default_ttl(ttl);
        self
    }

    /// Switches the cache off: every get misses, every load runs, and nothing is stored or shared. `set_if_absent` and
    /// `incr` then answer as on an empty cache, each time: do not count or lock with a cache that may be switched off.
    #[must_use]
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.disabled = disabled;
        self
    }

    /// The cache.
    ///
    /// # Panics
    /// Where [`try_build`](LarderBuilder::try_build) would fail.
    pub fn build(self) -> Larder {
        self.try_build().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The cache.
    ///
    /// # Errors
    /// `InvalidKey` if the namespace is not 1 to 256 bytes without `:` and control characters.
    pub fn try_build(self) -> Result<Larder> {
        let mut engine = self.engine.clock(self.clock.clone());
        if let Some(namespace) = self.namespace {
            engine = engine.namespace(&namespace)?;
        }
        if self.disabled {
            engine = engine.disabled();
        }
        let backend = self.backend.unwrap_or_else(|| default_backend(self.clock));
        Ok(engine.build(backend).into())
    }
}

#[cfg(feature = "memory")]
fn default_backend(clock: Clock) -> Arc<dyn Cache> {
    Arc::new(Memory::builder().clock(clock).build())
}

#[cfg(not(feature = "memory"))]
fn default_backend(_: Clock) -> Arc<dyn Cache> {
    Arc::new(cache_core::Nothing)
}
