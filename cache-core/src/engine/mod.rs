//! The orchestration: policy, flights, fences and counters over one [`Cache`].

mod builder;
mod commit;
mod heard;
mod life;
mod load;
mod loader;
mod many;
mod read;
mod seen;
mod warm;
mod watch;
mod write;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::background::Background;
use crate::cache::Cache;
use crate::clock::{Clock, Time};
use crate::error::Result;
use crate::flight::Flights;
use crate::key;
use crate::listener::Notices;
use crate::nothing::Nothing;
use crate::policy::{Policy, check_ttl};
use crate::stats::{Counters, Event, Stats};
use watch::Watch;

pub use builder::EngineBuilder;
pub use commit::{Commit, Writer, after_commit};
pub use life::{Closed, Health};
pub(crate) use load::{Kept, Terms, Untold};
pub use load::{Load, Loaded, Previous, Share};
pub use loader::{Compute, LoadPolicy, Uninterrupted};
pub(crate) use many::each;
pub use read::{Hit, Ttl};
pub use warm::{Progress, Warm, Warmed};

/// A cache as an application holds it: a handle, whose clones share everything.
///
/// Every read and write answers with a [`Reply`](crate::Reply): await it, or call
/// [`wait`](crate::Reply::wait). The facade's `Larder` is this, with constructors.
#[derive(Clone)]
pub struct Engine {
    /// Beside the rest, since every hit goes through it.
    cache: Arc<dyn Cache>,
    shared: Arc<Shared>,
    notices: Notices,
}

struct Shared {
    counters: Counters,
    watch: Watch,
    flights: Arc<Flights>,
    background: Background,
    throttle: load::Throttle,
    updates: commit::Updates,
    gate: load::Gate,
    default_ttl: Duration,
    began: Time,
    clock: Clock,
    /// Nothing is read, stored or shared; every load runs.
    disabled: bool,
}

impl Engine {
    /// Whether `policy` can be used with `key`.
    fn check(&self, key: &str, policy: &Policy) -> Result<()> {
        key::check(key)?;
        policy.check()?;
        check_ttl(policy.ttl_or(self.shared.default_ttl))
    }

    /// A cache over `backend` with everything else at its default.
    pub fn new(backend: impl Cache) -> Self {
        EngineBuilder::default().build(Arc::new(backend))
    }

    /// A cache that is switched off: every get misses, every load runs, nothing is shared.
    pub fn disabled() -> Self {
        EngineBuilder::default().disabled().build(Arc::new(Nothing))
    }

    /// How it is put together.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// What it is called in metrics and events.
    pub fn name(&self) -> &str {
        &self.shared.watch.name
    }

    /// What it has done since it was built.
    pub fn stats(&self) -> Stats {
        let stats = self.shared.counters.stats(self.cache.usage());
        self.shared.watch.publish(&stats);
        stats
    }

    /// The backend.
    pub fn backend(&self) -> &Arc<dyn Cache> {
        &self.cache
    }

    #[inline]
    fn count(&self, event: Event) {
        self.shared.counters.count(event);
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Larder")
            .field("name", &self.name())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
