//! Leading a flight: in the caller, in the background, or first in the one and then in the other.

use std::future::Future;
use std::pin::{Pin, pin};
use std::slice;
use std::sync::Arc;

use super::run::{Borrowed, Owned};
use super::{Found, Job, Stale, Start};
use crate::background::Place;
use crate::clock::within;
use crate::engine::LoadPolicy;
use crate::flight::{Landing, Lead};
use crate::reply::BoxFuture;
use crate::runtime;
use crate::stats::Event;
use crate::target::Target;
use crate::value::Cacheable;

impl<T: Cacheable, O: 'static, E: 'static> Job<'_, T, O, E> {
    pub(super) async fn lead<P, S, L>(&self, lead: Lead, start: S) -> Result<Arc<T>, E>
    where
        P: LoadPolicy<L>,
        S: Start<T, L>,
        L: Future<Output = O>,
    {
        match self.find(slice::from_ref(&lead)).await {
            Found::Fresh(value) => {
                lead.land(Landing::Found);
                Ok(value)
            }
            Found::Stale(stale) if self.is_throttled() => {
                lead.land(Landing::Found);
                Ok(self.serve(stale))
            }
            Found::Stale(stale) => Box::pin(self.lead_on::<P, S, L>(lead, start, stale)).await,
            Found::Nothing => self.lead_here(lead, start, None).await,
        }
    }

    /// Leads where there is a stale value: it may be served at once, or when the load takes long.
    async fn lead_on<P, S, L>(&self, lead: Lead, start: S, stale: Stale<T>) -> Result<Arc<T>, E>
    where
        P: LoadPolicy<L>,
        S: Start<T, L>,
        L: Future<Output = O>,
    {
        let at_once = self.may_revalidate(&stale);
        if !at_once && (self.policy.soft_limit().is_none() || self.terms.blocking) {
            return self.lead_here(lead, start, Some(stale)).await;
        }
        let Some(place) = self.engine.shared.background.place() else {
            if at_once {
                lead.land(Landing::Found);
                return Ok(self.serve(stale));
            }
            return self.lead_here(lead, start, Some(stale)).await;
        };
        // Before the loader is started: its closure may read the source already.
        let leads = slice::from_ref(&lead);
        let fenced = self.fence(leads).await;
        let previous = self.previous::<S, L>(leads, Some(&stale)).await;
        match P::detach(start.start(|| self.brief(previous))) {
            Ok(loader) if at_once => {
                self.spawn(self.movable(lead, fenced, loader), place);
                Ok(self.serve(stale))
            }
            Ok(loader) => self.lead_softly(self.movable(lead, fenced, loader), place, stale).await,
            Err(loader) => {
                let (result, landing) = self.load_and_publish(slice::from_ref(&lead), fenced, loader).await;
                self.settle(result, Some((lead, landing)), Some(stale))
            }
        }
    }

    /// Loads in the caller.
    async fn lead_here<S, L>(&self, lead: Lead, start: S, stale: Option<Stale<T>>) -> Result<Arc<T>, E>
    where
        S: Start<T, L>,
        L: Future<Output = O>,
    {
        let leads = slice::from_ref(&lead);
        let fenced = self.fence(leads).await;
        let previous = self.previous::<S, L>(leads, stale.as_ref()).await;
        let loader = pin!(async { start.start(|| self.brief(previous)).await });
        let (result, landing) = self.load_and_publish(leads, fenced, loader).await;
        self.settle(result, Some((lead, landing)), stale)
    }

    /// Loads in the caller up to the soft timeout, and then goes on in the background.
    async fn lead_softly(
        &self,
        mut load: BoxFuture<'static, Result<Arc<T>, E>>,
        place: Place,
        stale: Stale<T>,
    ) -> Result<Arc<T>, E> {
        let clock = &self.engine.shared.clock;
        let deadline = self.policy.soft_limit().map(|limit| clock.now() + limit);
        match within(clock, deadline, Pin::new(&mut load)).await {
            Some(result) => self.stand_in(result, Some(stale)),
            None if self.may_serve(&stale) => {
                self.spawn(load, place);
                Ok(self.serve(stale))
            }
            None => self.stand_in(load.await, Some(stale)),
        }
    }

    /// The load as something that depends on nobody, and can be polled here and there.
    fn movable(
        &self,
        lead: Lead,
        fenced: Option<Borrowed<'_>>,
        loader: BoxFuture<'static, O>,
    ) -> BoxFuture<'static, Result<Arc<T>, E>> {
        let engine = self.engine.clone();
        let fenced: Option<Owned> = fenced.map(|fenced| fenced.into_owned(engine.cache.clone()));
        let (key, policy) = (Box::<str>::from(self.key), self.policy.clone());
        let (terms, limit) = (self.terms, self.limit);
        Box::pin(async move {
            let job = Job::new(&engine, &key, &policy, terms, limit);
            let (result, landing) = job.load_and_publish(slice::from_ref(&lead), fenced, loader).await;
            job.settle(result, Some((lead, landing)), None)
        })
    }

    fn spawn(&self, load: BoxFuture<'static, Result<Arc<T>, E>>, place: Place) {
        self.saw(Event::Refresh);
        let load = async move {
            let _place = place;
            drop(load.await);
        };
        runtime::spawn(Box::pin(load), self.terms.blocking);
    }

    /// Ends the flight, and lets a stale value stand in for a failed load.
    pub(super) fn settle(
        &self,
        result: Result<Arc<T>, E>,
        lead: Option<(Lead, Landing)>,
        stale: Option<Stale<T>>,
    ) -> Result<Arc<T>, E> {
        match &result {
            Ok(_) => self.engine.shared.throttle.lift(Target::Key(self.key)),
            Err(_) => self.throttle(),
        }
        if let Some((lead, landing)) = lead {
            lead.land(landing);
        }
        self.stand_in(result, stale)
    }

    /// The stale value in place of an error, if it may.
    pub(super) fn stand_in(&self, result: Result<Arc<T>, E>, stale: Option<Stale<T>>) -> Result<Arc<T>, E> {
        match (result, stale) {
            (Err(_), Some(stale)) if self.may_stand_in(&stale) => Ok(self.serve(stale)),
            (result, Some(_)) => {
                self.count_read(Event::Miss);
                result
            }
            (result, None) => result,
        }
    }
}
