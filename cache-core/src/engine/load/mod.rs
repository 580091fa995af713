//! Loads: one flight per key, a fence around each, stale values where the policy allows them.
//!
//! A load sits down in the flight table first and reads the cache then: whoever leads has thereby read the cache
//! after every earlier leader had published, and nothing is loaded twice.

mod api;
mod batch;
mod follow;
mod found;
mod gate;
mod lead;
mod loaded;
mod many;
mod run;
mod start;
mod terms;
mod throttle;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::watch::Began;
use super::{Engine, LoadPolicy};
use crate::flight::{Caller, Seat, is_loading};
use crate::policy::Policy;
use crate::stats::Event;
use crate::target::Target;
use crate::timeout::Timeout;
use crate::value::Cacheable;

use found::{Found, Stale};
pub(super) use gate::Gate;
pub use loaded::{Load, Loaded, Previous};
pub(crate) use start::{Start, Told, Untold};
pub use terms::Share;
pub(crate) use terms::Terms;
pub(super) use throttle::Throttle;

/// What one load is about.
struct Job<'j, T, O, E> {
    engine: &'j Engine,
    key: &'j str,
    policy: &'j Policy,
    terms: Terms<T, O, E>,
    /// What it comes to at its hard timeout.
    limit: fn(Timeout) -> Option<O>,
    /// It is called by another load's loader.
    nested: bool,
    began: Began,
    /// What this load has been counted as, however often it has to try.
    read: AtomicBool,
    coalesced: AtomicBool,
}

impl<'j, T, O, E> Job<'j, T, O, E> {
    fn new(
        engine: &'j Engine,
        key: &'j str,
        policy: &'j Policy,
        terms: Terms<T, O, E>,
        limit: fn(Timeout) -> Option<O>,
    ) -> Self {
        let (read, coalesced) = (false.into(), false.into());
        Self {
            engine,
            key,
            policy,
            terms,
            limit,
            nested: is_loading(),
            began: Began::read(),
            read,
            coalesced,
        }
    }

    fn count_once(&self, counted: &AtomicBool, event: Event) {
        if !counted.swap(true, Ordering::Relaxed) {
            self.saw(event);
        }
    }

    /// What the read came to: a hit, a miss, or a stale one, once.
    fn count_read(&self, event: Event) {
        self.count_once(&self.read, event);
    }

    fn saw(&self, event: Event) {
        self.engine.saw(self.key, event, self.began);
    }
}

impl Engine {
    /// The value of `key`, loaded if there is none. `plan` is called only where there is nothing fresh; the
    /// loader it gives is started by at most one of the callers who share it.
    #[inline]
    pub(crate) async fn load<T, O, E, P, S, L>(
        &self,
        key: &str,
        terms: Terms<T, O, E>,
        plan: impl FnOnce() -> (P, S),
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        O: 'static,
        E: 'static,
        P: LoadPolicy<L>,
        S: Start<T, L>,
        L: Future<Output = O>,
    {
        if terms.takes_any
            && let Some(value) = self.fresh(key)
        {
            return Ok(value);
        }
        let (policy, start) = plan();
        let policy = policy.into_policy();
        let job = Job::new(self, key, &policy, terms, P::timed_out);
        if self.shared.disabled {
            return Box::pin(job.uncached(start.start(|| job.brief(None)))).await;
        }
        if let Err(error) = self.check(key, &policy) {
            self.note(&error);
            return Box::pin(job.uncached(start.start(|| job.brief(None)))).await;
        }
        if terms.anew {
            self.shared.flights.detach(Target::Key(key));
        }
        job.fly::<P, S, L>(start).await
    }
}

impl Engine {
    fn seat(&self, key: &str, policy: &Policy, caller: Caller) -> Seat {
        self.shared.flights.seat(key, policy.tag_list(), caller)
    }
}

/// What is not on the way of a plain miss is boxed: it would make every load's future larger.
impl<T: Cacheable, O: 'static, E: 'static> Job<'_, T, O, E> {
    async fn fly<P, S, L>(&self, start: S) -> Result<Arc<T>, E>
    where
        P: LoadPolicy<L>,
        S: Start<T, L>,
        L: Future<Output = O>,
    {
        let mut retrying = false;
        loop {
            let caller = self.caller(retrying);
            match self.engine.seat(self.key, self.policy, caller) {
                Seat::Lead(lead) => return self.lead::<P, S, L>(lead, start).await,
                Seat::Follow(follow) => {
                    if let Some(result) = Box::pin(self.follow(follow)).await {
                        return result;
                    }
                    retrying = true;
                }
                Seat::Alone(_beside) => return Box::pin(self.alone(start)).await,
            }
        }
    }

    fn caller(&self, retrying: bool) -> Caller {
        let capped = self.engine.shared.gate.is_set() && self.nested;
        Caller { blocking: self.terms.blocking, retrying, capped, version: self.policy.version_number() }
    }

    /// Loads beside everybody else.
    async fn alone<S, L>(&self, start: S) -> Result<Arc<T>, E>
    where
        S: Start<T, L>,
        L: Future<Output = O>,
    {
        let stale = match self.find().await {
            Found::Fresh(value) => return Ok(value),
            Found::Stale(stale) if self.is_throttled() => return Ok(self.serve(stale)),
            Found::Stale(stale) => Some(stale),
            Found::Nothing => None,
        };
        let fenced = self.fence().await;
        let loader = start.start(|| self.brief(stale.as_ref()));
        let (result, _) = self.load_and_publish(None, fenced, loader).await;
        self.settle(result, None, stale)
    }

    /// What the loader is told.
    fn brief(&self, stale: Option<&Stale<T>>) -> Load<T> {
        Load { key: self.key.into(), stale: stale.map(Stale::previous) }
    }
}
