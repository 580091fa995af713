//! How a [`Larder`] is put together.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "memory")]
use backend_memory::Memory;
#[cfg(feature = "moka")]
use backend_memory::Moka;
#[cfg(feature = "redis")]
use backend_redis::Redis;
use cache_core::{Cache, Clock, EngineBuilder, Result, Tiered};

use crate::Larder;

/// Puts a [`Larder`] together. Without a backend it holds 10 000 entries in memory; with memory and another backend, memory
/// stands in front of that: see [`Tiered`](crate::Tiered).
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
    name: Option<Box<str>>,
    clock: Clock,
    near: Option<Arc<dyn Cache>>,
    far: Option<Backend>,
    l1_ttl: Option<Duration>,
    cut_off_ttl: Option<Duration>,
    sampler: Option<Duration>,
    disabled: bool,
}

/// What holds the entries, as the builder is told, or what stands behind memory.
enum Backend {
    Any(Arc<dyn Cache>),
    /// Has namespaces of its own.
    #[cfg(feature = "redis")]
    Redis(Redis),
}

impl LarderBuilder {
    /// Caches over one backend that have different namespaces do not see each other. Over Redis it is a namespace of
    /// Redis itself, where `clear` is constant work and looks at nobody else's keys; within that of
    /// [`RedisBuilder::namespace`](crate::RedisBuilder::namespace), if there is one. Over any other backend it is a prefix
    /// of every key, tag and pattern, with a `:`.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    /// Holds entries in process memory; in front of [`redis`](LarderBuilder::redis) or
    /// [`backend`](LarderBuilder::backend), if there is one, copies of them.
    #[cfg(feature = "memory")]
    #[must_use]
    pub fn memory(mut self, memory: Memory) -> Self {
        self.near = Some(Arc::new(memory));
        self
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
    pub fn moka(mut self, moka: Moka) -> Self {
        self.near = Some(Arc::new(moka));
        self
    }

    /// Holds entries in a Redis, where all processes that use it find them. With [`memory`](LarderBuilder::memory) in front,
    /// what is read often is read there; `docs/coherence.md` says what that promises. Without it, every read is a round
    /// trip.
    ///
    /// ```no_run
    /// # async fn example() -> larder::Result<()> {
    /// use larder::{Larder, Memory, Redis};
    ///
    /// let redis = Redis::builder("redis://127.0.0.1/").namespace("campus");
    /// let redis = redis.connect().await?; // also while there is none
    /// let memory = Memory::builder().capacity(100_000).build();
    /// let cache = Larder::builder().memory(memory).redis(redis).build();
    /// # let _ = cache;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// With a [`namespace`](LarderBuilder::namespace), the cache has a connection of its own, made when it is built
    /// ([`Redis::within`]): [`health`](crate::Engine::health) tells of that one, and `redis.connection()` of this.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn redis(mut self, redis: Redis) -> Self {
        self.far = Some(Backend::Redis(redis));
        self
    }

    /// Holds entries in a backend of your own, behind memory if that is given too. The last of `redis` and `backend` is the
    /// one that counts.
    #[must_use]
    pub fn backend(mut self, backend: impl Cache) -> Self {
        self.far = Some(Backend::Any(Arc::new(backend)));
        self
    }

    /// For how long a copy in memory is served at most before the backend behind it is asked again; by default for as long
    /// as it is fresh. Zero keeps no copies.
    #[must_use]
    pub fn l1_ttl(mut self, ttl: Duration) -> Self {
        self.l1_ttl = Some(ttl);
        self
    }

    /// For how long copies in memory are trusted while this process is not told what others change: five seconds by
    /// default; zero asks the backend behind each time. See
    /// [`TieredBuilder::cut_off_ttl`](crate::TieredBuilder::cut_off_ttl).
    #[must_use]
    pub fn cut_off_ttl(mut self, ttl: Duration) -> Self {
        self.cut_off_ttl = Some(ttl);
        self
    }

    /// Compares copies in memory with what the backend behind it has, in the background, one about `every` so often; off by
    /// default. What disagrees for longer than it may is counted in [`Stats`](crate::Stats), and told by
    /// [`health`](crate::Engine::health). See [`TieredBuilder::sampler`](crate::TieredBuilder::sampler).
    #[must_use]
    pub fn sampler(mut self, every: Duration) -> Self {
        self.sampler = Some(every);
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
        self.name = Some(name.into());
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
    ///
    /// What it invalidates still goes to its store, as does that the old value is void where it `set`s or deletes a key:
    /// others may share that store, and go on reading it. These calls end as they would if the cache were on.
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
    /// `InvalidKey` if the namespace is not 1 to 256 bytes without `:` and control characters. `Unavailable` if it is one
    /// of a Redis, and the system gives no thread.
    pub fn try_build(self) -> Result<Larder> {
        let mut engine = self.engine.clock(self.clock.clone());
        let (mut near, mut far) = (self.near, self.far);
        if let Some(namespace) = &self.namespace {
            (engine, near, far) = within(namespace, engine, near, far)?;
        }
        if let Some(name) = self.name {
            engine = engine.name(name);
        }
        if self.disabled {
            engine = engine.disabled();
        }
        let far = far.map(Backend::into_cache);
        Ok(engine
            .build(match (near, far) {
                (Some(near), Some(far)) => {
                    let mut tiers = Tiered::builder(near, far).clock(self.clock);
                    if let Some(ttl) = self.l1_ttl {
                        tiers = tiers.l1_ttl(ttl);
                    }
                    if let Some(ttl) = self.cut_off_ttl {
                        tiers = tiers.cut_off_ttl(ttl);
                    }
                    if let Some(every) = self.sampler {
                        tiers = tiers.sampler(every);
                    }
                    Arc::new(tiers.build())
                }
                (Some(only), None) | (None, Some(only)) => only,
                (None, None) => default_backend(self.clock),
            })
            .into())
    }
}

type Tiers = (EngineBuilder, Option<Arc<dyn Cache>>, Option<Backend>);

/// Apart from others by `namespace`: Redis does it itself, for anything else the engine does.
fn within(
    namespace: &str,
    engine: EngineBuilder,
    near: Option<Arc<dyn Cache>>,
    far: Option<Backend>,
) -> Result<Tiers> {
    match far {
        #[cfg(feature = "redis")]
        Some(Backend::Redis(redis)) => {
            // One rule for all backends.
            EngineBuilder::default().namespace(namespace)?;
            // Several caches may share one memory, too.
            let near = near.map(|near| cache_core::namespaced(namespace, near)).transpose()?;
            Ok((engine.name(namespace), near, Some(Backend::Redis(redis.within(namespace)?))))
        }
        far => Ok((engine.namespace(namespace)?, near, far)),
    }
}

impl Backend {
    fn into_cache(self) -> Arc<dyn Cache> {
        match self {
            Self::Any(backend) => backend,
            #[cfg(feature = "redis")]
            Self::Redis(redis) => Arc::new(redis),
        }
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
