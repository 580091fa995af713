//! Waiting for another caller's load.

use std::pin::pin;
use std::sync::Arc;

use super::{Found, Job, Stale};
use crate::clock::within;
use crate::flight::{Follow, Landing};
use crate::stats::Event;
use crate::value::Cacheable;

impl<T: Cacheable, O: 'static, E: 'static> Job<'_, T, O, E> {
    /// Waits for another caller's load; `None`: it came to nothing that could be shared, sit down again.
    pub(super) async fn follow(&self, follow: Follow) -> Option<Result<Arc<T>, E>> {
        let stale = match self.look().await {
            Ok(value) => return Some(Ok(value)),
            Err(stale) => stale,
        };
        self.count_once(&self.coalesced, Event::Coalesced);
        let (clock, mut follow) = (&self.engine.shared.clock, pin!(follow));
        let hard = self.policy.hard_limit().map(|limit| clock.now() + limit);
        if let (Some(_), Some(soft)) = (&stale, self.policy.soft_limit()) {
            match within(clock, Some(clock.now() + soft), follow.as_mut()).await {
                Some(landing) => return self.landed(landing, stale).await,
                None => {
                    if let Some(stale) = stale.as_ref().filter(|stale| self.may_serve(stale)) {
                        return Some(Ok(self.serve(stale.clone())));
                    }
                }
            }
        }
        match within(clock, hard, follow).await {
            Some(landing) => self.landed(landing, stale).await,
            None => Some(self.stand_in(Err(self.timed_out()?), stale)),
        }
    }

    /// What the cache has to serve at once; else what is stale, if anything is.
    async fn look(&self) -> Result<Arc<T>, Option<Stale<T>>> {
        match self.find(&[]).await {
            Found::Fresh(value) => Ok(value),
            Found::Stale(stale) if self.may_revalidate(&stale) => Ok(self.serve(stale)),
            Found::Stale(stale) => Err(Some(stale)),
            Found::Nothing => Err(None),
        }
    }

    async fn landed(&self, landing: Landing, stale: Option<Stale<T>>) -> Option<Result<Arc<T>, E>> {
        match landing {
            // A value of another type is of no use here; the next seat will find it and load over it.
            Landing::Value(value) => {
                if stale.is_some() {
                    self.count_read(Event::Miss);
                }
                value.downcast().ok().map(Ok)
            }
            Landing::Found => self.look().await.ok().map(Ok),
            Landing::Failed(error) => match stale.filter(|stale| self.may_stand_in(stale)) {
                Some(stale) => Some(Ok(self.serve(stale))),
                None => (self.terms.share?.unpack)(&*error?).map(Err),
            },
            Landing::Abandoned => None,
        }
    }
}
