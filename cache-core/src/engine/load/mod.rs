//! Loads: one flight per key, a fence around each, stale values where the policy allows them.
//!
//! A load sits down in the flight table first and reads the cache then: whoever leads has thereby read the cache
//! after every earlier leader had published, and nothing is loaded twice.

mod api;
mod found;
mod run;
mod throttle;

use std::any::Any;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Engine, LoadPolicy};
use crate::error::Result;
use crate::flight::{Caller, Follow, Landing, Lead, Piloted, Seat};
use crate::key;
use crate::policy::Policy;
use crate::reply::BoxFuture;
use crate::runtime::{self, Place};
use crate::stats::Event;
use crate::target::Target;
use crate::value::{Cacheable, Value};

use found::{Found, Stale};
use run::Borrowed;
pub(super) use throttle::Throttle;

/// How a load's output becomes a value, and an error that followers can share.
pub(crate) struct Terms<T, O, E> {
    /// The value to cache, or what the caller gets instead.
    pub(crate) split: fn(O) -> Result<Arc<T>, E>,
    /// How to share `E` with followers; `None`: each of them tries for itself, one at a time.
    pub(crate) share: Option<Share<E>>,
    /// The caller holds its thread.
    pub(crate) blocking: bool,
}

impl<T, O, E> Clone for Terms<T, O, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, O, E> Copy for Terms<T, O, E> {}

/// How an error that can be cloned is shared with the followers of a failed leader.
pub struct Share<E> {
    /// A clone, without its type.
    pub pack: fn(&E) -> Arc<dyn Any + Send + Sync>,
    /// A clone of what was packed, if it is an `E`.
    pub unpack: fn(&(dyn Any + Send + Sync)) -> Option<E>,
}

impl<E> Clone for Share<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Share<E> {}

impl<E: Clone + Send + Sync + 'static> Share<E> {
    /// Sharing by `Clone`.
    pub const fn by_clone() -> Self {
        Self { pack: |error| Arc::new(error.clone()), unpack: |any| any.downcast_ref::<E>().cloned() }
    }
}

/// What one load is about.
struct Job<'j, T, O, E> {
    engine: &'j Engine,
    key: &'j str,
    policy: &'j Policy,
    terms: Terms<T, O, E>,
    /// What this load has been counted as, however often it has to try.
    missed: AtomicBool,
    coalesced: AtomicBool,
}

impl<'j, T, O, E> Job<'j, T, O, E> {
    fn new(engine: &'j Engine, key: &'j str, policy: &'j Policy, terms: Terms<T, O, E>) -> Self {
        Self { engine, key, policy, terms, missed: false.into(), coalesced: false.into() }
    }

    fn count_once(&self, counted: &AtomicBool, event: Event) {
        if !counted.swap(true, Ordering::Relaxed) {
            self.engine.count(event);
        }
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
        S: FnOnce() -> L,
        L: Future<Output = O>,
    {
        if let Some(value) = self.fresh(key) {
            return Ok(value);
        }
        let (policy, start) = plan();
        let policy = policy.into_policy();
        let job = Job::new(self, key, &policy, terms);
        if self.shared.disabled {
            return job.uncached(start()).await;
        }
        if let Err(error) = key::check(key).and_then(|()| policy.check()) {
            self.note(&error);
            return job.uncached(start()).await;
        }
        job.fly::<P, S, L>(start).await
    }
}

impl<T: Cacheable, O: 'static, E: 'static> Job<'_, T, O, E> {
    async fn fly<P, S, L>(&self, start: S) -> Result<Arc<T>, E>
    where
        P: LoadPolicy<L>,
        S: FnOnce() -> L,
        L: Future<Output = O>,
    {
        let mut retrying = false;
        loop {
            let caller = Caller { blocking: self.terms.blocking, retrying };
            match self.engine.shared.flights.seat(self.key, self.policy.tag_list(), caller) {
                Seat::Lead(lead) => return self.lead::<P, S, L>(lead, start).await,
                Seat::Follow(follow) => {
                    if let Some(result) = self.follow(follow).await {
                        return result;
                    }
                    retrying = true;
                }
                Seat::Alone(_beside) => {
                    return match self.find().await {
                        Found::Fresh(value) => Ok(value),
                        Found::Stale(stale) => self.settle(self.run(None, start).await, None, Some(stale)),
                        Found::Nothing => self.settle(self.run(None, start).await, None, None),
                    };
                }
            }
        }
    }

    /// Waits for another caller's load; `None`: it came to nothing that could be shared, sit down again.
    async fn follow(&self, follow: Follow) -> Option<Result<Arc<T>, E>> {
        let stale = match self.find().await {
            Found::Fresh(value) => return Some(Ok(value)),
            Found::Stale(stale) if self.may_revalidate(&stale) => return Some(Ok(self.serve_stale(stale))),
            Found::Stale(stale) => Some(stale),
            Found::Nothing => None,
        };
        self.count_once(&self.coalesced, Event::Coalesced);
        match follow.await {
            // A value of another type is of no use here; the next seat will find it and load over it.
            Landing::Value(value) => value.downcast().ok().map(Ok),
            Landing::Failed(error) => match stale.filter(|stale| self.may_stand_in(stale)) {
                Some(stale) => Some(Ok(self.serve_stale(stale))),
                None => (self.terms.share?.unpack)(&*error?).map(Err),
            },
            Landing::Abandoned => None,
        }
    }

    async fn lead<P, S, L>(&self, lead: Lead, start: S) -> Result<Arc<T>, E>
    where
        P: LoadPolicy<L>,
        S: FnOnce() -> L,
        L: Future<Output = O>,
    {
        let stale = match Piloted::new(Some(&lead), pin!(self.find())).await {
            Found::Fresh(value) => {
                lead.land(Landing::Value(Value::new(value.clone())));
                return Ok(value);
            }
            Found::Stale(stale) => Some(stale),
            Found::Nothing => None,
        };
        let Some(stale) = stale else {
            return self.settle(self.run(Some(&lead), start).await, Some(lead), None);
        };
        if self.is_throttled() {
            return Ok(self.serve_stale(stale));
        }
        if !self.may_revalidate(&stale) {
            return self.settle(self.run(Some(&lead), start).await, Some(lead), Some(stale));
        }
        let Some(place) = self.engine.shared.background.place() else { return Ok(self.serve_stale(stale)) };
        // Before the loader is started: its closure may read the source already.
        let fenced = Piloted::new(Some(&lead), pin!(self.fence())).await;
        match P::detach(start()) {
            Ok(loader) => {
                self.refresh(lead, fenced, loader, place);
                Ok(self.serve_stale(stale))
            }
            Err(loader) => self.settle(self.run_fenced(&lead, fenced, loader).await, Some(lead), Some(stale)),
        }
    }

    /// Goes on with the load in the background.
    fn refresh(&self, lead: Lead, fenced: Option<Borrowed<'_>>, loader: BoxFuture<'static, O>, place: Place) {
        let engine = self.engine.clone();
        let fenced = fenced.map(|fenced| fenced.into_owned(engine.cache.clone()));
        let (key, policy, terms) = (Box::<str>::from(self.key), self.policy.clone(), self.terms);
        let refresh = async move {
            let _place = place;
            let job = Job::new(&engine, &key, &policy, terms);
            engine.count(Event::Refresh);
            let result = job.run_fenced(&lead, fenced, loader).await;
            let _ = job.settle(result, Some(lead), None);
        };
        runtime::spawn(Box::pin(refresh), self.terms.blocking);
    }

    /// Lands the flight, and lets a stale value stand in for a failed load.
    fn settle(
        &self,
        result: Result<Arc<T>, E>,
        lead: Option<Lead>,
        stale: Option<Stale<T>>,
    ) -> Result<Arc<T>, E> {
        match &result {
            Ok(_) => self.engine.shared.throttle.lift(Target::Key(self.key)),
            Err(_) => self.throttle(),
        }
        if let Some(lead) = lead {
            lead.land(match &result {
                Ok(value) => Landing::Value(Value::new(value.clone())),
                Err(error) => Landing::Failed(self.terms.share.map(|share| (share.pack)(error))),
            });
        }
        match (result, stale) {
            (Err(_), Some(stale)) if self.may_stand_in(&stale) => Ok(self.serve_stale(stale)),
            (result, Some(_)) => {
                self.count_once(&self.missed, Event::Miss);
                result
            }
            (result, None) => result,
        }
    }
}
