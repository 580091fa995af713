//! Loads: one flight per key, a fence around each, stale values where the policy allows them.
//!
//! A load sits down in the flight table first and reads the cache then: whoever leads has thereby read the cache
//! after every earlier leader had published, and nothing is loaded twice.

mod api;
mod batch;
mod behind;
mod follow;
mod found;
mod gate;
mod lead;
mod loaded;
mod many;
mod panics;
mod round;
mod run;
mod start;
mod terms;
mod throttle;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::watch::Began;
use super::{Compute, Engine, LoadPolicy, Uninterrupted};
use crate::flight::{Caller, Seat, is_loading};
use crate::policy::Policy;
use crate::runtime::block_on;
use crate::stats::Event;
use crate::target::Target;
use crate::timeout::Timeout;
use crate::value::Cacheable;

use follow::Again;
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
        // In a box, so that a hit's future is small, and so are those of loads that call loads.
        Box::pin(self.load_anyhow(key, terms, plan)).await
    }

    /// The same where there is nothing that can be had at once.
    async fn load_anyhow<T, O, E, P, S, L>(
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
    /// The same for synchronous code, which holds its thread meanwhile. What is there needs no future.
    #[inline]
    pub(crate) fn load_here<T, O, E, P, F>(
        &self,
        key: &str,
        terms: Terms<T, O, E>,
        plan: impl FnOnce() -> (P, F),
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        O: 'static,
        E: 'static,
        P: LoadPolicy<Compute<F>> + Uninterrupted,
        F: FnOnce() -> O,
    {
        if terms.takes_any
            && let Some(value) = self.fresh(key)
        {
            return Ok(value);
        }
        let terms = Terms { blocking: true, ..terms };
        let plan = || {
            let (policy, compute) = plan();
            (policy, Untold(|| Compute::new(compute)))
        };
        block_on(self.load_anyhow(key, terms, plan))
    }

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
                Seat::Follow(follow) => match Box::pin(self.follow(follow)).await {
                    Ok(result) => return result,
                    Err(again) => retrying |= matches!(again, Again::Beside),
                },
                Seat::Alone(_beside) => return Box::pin(self.alone(start)).await,
            }
        }
    }

    fn caller(&self, retrying: bool) -> Caller {
        let (capped, queues) = match self.engine.shared.gate.is_set() {
            true => (!self.queues(), self.queues()),
            false => (false, false),
        };
        let version = self.policy.version_number();
        Caller { blocking: self.terms.blocking, retrying, capped, queues, version }
    }

    /// Loads beside everybody else.
    async fn alone<S, L>(&self, start: S) -> Result<Arc<T>, E>
    where
        S: Start<T, L>,
        L: Future<Output = O>,
    {
        let stale = match self.find(&[]).await {
            Found::Fresh(value) => return Ok(value),
            // Within its window at once, here as well. Who refreshes it has a flight; these could be any number.
            Found::Stale(stale) if self.may_revalidate(&stale) || self.is_throttled() => {
                return Ok(self.serve(stale));
            }
            Found::Stale(stale) => Some(stale),
            Found::Nothing => None,
        };
        let fenced = self.fence(&[]).await;
        let previous = self.previous::<S, L>(&[], stale.as_ref()).await;
        let loader = pin!(async { start.start(|| self.brief(previous)).await });
        let (result, _) = self.load_and_publish(&[], fenced, loader).await;
        self.settle(result, None, stale)
    }

    /// What the loader is told.
    fn brief(&self, stale: Option<Previous<T>>) -> Load<T> {
        Load { key: self.key.into(), stale }
    }
}
