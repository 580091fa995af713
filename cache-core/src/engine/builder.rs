//! How an [`Engine`] is put together.

use std::sync::Arc;
use std::time::Duration;

use super::commit::Updates;
use super::load::{Gate, Throttle};
use super::watch::Watch;
use super::{Engine, Shared};
use crate::background::Background;
use crate::cache::Cache;
use crate::clock::Clock;
use crate::error::Result;
use crate::flight::Flights;
use crate::listener::Listener;
use crate::namespace::Namespaced;
use crate::policy::ttl;
use crate::stats::Counters;

/// How many keys can be in flight at once; loads of further ones are not shared.
const FLIGHTS: usize = 65_536;
/// How many loads run in the background at once; beyond it, what is stale stays stale a little longer.
const BACKGROUND: usize = 256;
/// Loads over this are slow.
const SLOW: Duration = Duration::from_secs(1);

/// Puts an [`Engine`] together.
#[derive(Debug, Default)]
pub struct EngineBuilder {
    clock: Clock,
    name: Option<Box<str>>,
    namespace: Option<Namespaced>,
    flights: Option<usize>,
    background: Option<usize>,
    loads: Option<usize>,
    ttl: Option<Duration>,
    slow: Option<Duration>,
    disabled: bool,
}

impl EngineBuilder {
    /// The clock by which loads are timed and followers look after their leaders. Give the backend the same one.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Prefixes every key, tag and pattern with `namespace` and a `:`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey): a namespace is 1 to 256 bytes without `:` and
    /// control characters.
    pub fn namespace(mut self, namespace: &str) -> Result<Self> {
        self.namespace = Some(Namespaced::new(namespace)?);
        Ok(self)
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
        self.slow = Some(time);
        self
    }

    /// How many keys can be in flight at once (65 536 by default); loads of further ones are not shared, and what is
    /// stale within `swr` is served without being refreshed.
    #[must_use]
    pub fn max_flights(mut self, flights: usize) -> Self {
        self.flights = Some(flights);
        self
    }

    /// How many loads may run in the background at once (256 by default); beyond it, what is stale stays stale.
    #[must_use]
    pub fn max_background(mut self, loads: usize) -> Self {
        self.background = Some(loads);
        self
    }

    /// How many loads may run at once; further ones wait their turn. No bound by default. Loads that another load
    /// asks for are not counted, as it waits for them.
    #[must_use]
    pub fn max_loads(mut self, loads: usize) -> Self {
        self.loads = Some(loads);
        self
    }

    /// The TTL of [`Policy::default`](crate::Policy::default): five minutes if not told otherwise.
    #[must_use]
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Nothing is read, stored or shared; every load runs. `set_if_absent` and `incr` then answer as on an empty cache, each
    /// time: do not count or lock with a cache that may be switched off. What it invalidates still goes to `backend`, which others
    /// may share; where it sets a key, that the old value is void.
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.disabled = true;
        self
    }

    /// The cache over `backend`.
    pub fn build(self, backend: Arc<dyn Cache>) -> Engine {
        let namespace = || self.namespace.as_ref().map(|namespace| namespace.name().into());
        let name = self.name.or_else(namespace).unwrap_or_else(|| "default".into());
        let cache: Arc<dyn Cache> = match self.namespace {
            Some(namespaced) => Arc::new(namespaced.over(backend)),
            None => backend,
        };
        // A program under `check_coherent` has its cache watched.
        #[cfg(feature = "testing")]
        let cache = crate::testing::watched(cache);
        let shared = Shared {
            counters: Counters::default(),
            watch: Watch::new(name, self.slow.unwrap_or(SLOW), &cache),
            flights: Arc::new(Flights::new(self.flights.unwrap_or(FLIGHTS), self.clock.clone())),
            background: Background::new(self.background.unwrap_or(BACKGROUND)),
            throttle: Throttle::default(),
            updates: Updates::default(),
            gate: Gate::new(self.loads),
            default_ttl: self.ttl.unwrap_or(ttl::MEDIUM),
            began: self.clock.now(),
            clock: self.clock,
            disabled: self.disabled,
        };
        let shared = Arc::new(shared);
        Watch::begin(&shared);
        let listener: Arc<dyn Listener> = shared.clone();
        // Where it does not tell, flights are joined as long as they fly.
        let notices = cache.listen(Arc::downgrade(&listener));
        Engine { cache, shared, notices }
    }
}
