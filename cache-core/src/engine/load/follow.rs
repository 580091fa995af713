//! Waiting for another caller's load.

use std::pin::pin;
use std::sync::Arc;

use super::{Found, Job, Stale};
use crate::clock::within;
use crate::flight::{Follow, Landing};
use crate::stats::Event;
use crate::value::Cacheable;

/// A load that came to nothing that could be shared: sit down again.
#[derive(Clone, Copy)]
pub(super) enum Again {
    /// It was given up before it was over: one of those who waited leads.
    Anew,
    /// It was of no use to others, so a few may try beside whoever leads.
    Beside,
}

impl<T: Cacheable, O: 'static, E: 'static> Job<'_, T, O, E> {
    /// Waits for another caller's load.
    pub(super) async fn follow(&self, follow: Follow) -> Result<Result<Arc<T>, E>, Again> {
        let stale = match self.look().await {
            Ok(value) => return Ok(Ok(value)),
            Err(stale) => stale,
        };
        self.count_coalesced();
        let (clock, mut follow) = (&self.engine.shared.clock, pin!(follow));
        let hard = self.policy.hard_limit().map(|limit| clock.now() + limit);
        if let (Some(_), Some(soft)) = (&stale, self.policy.soft_limit()) {
            match within(clock, Some(clock.now() + soft), follow.as_mut()).await {
                Some(landing) => return self.landed(landing, stale).await,
                None => {
                    if let Some(stale) = stale.as_ref().filter(|stale| self.may_serve(stale)) {
                        return Ok(Ok(self.serve(stale.clone())));
                    }
                }
            }
        }
        match within(clock, hard, follow).await {
            Some(landing) => self.landed(landing, stale).await,
            None => Ok(self.stand_in(Err(self.timed_out().ok_or(Again::Anew)?), stale)),
        }
    }

    /// What the cache has to serve at once; else what is stale, if anything is.
    async fn look(&self) -> Result<Arc<T>, Option<Stale<T>>> {
        match self.find(&[]).await {
            Found::Fresh(value) => Ok(value),
            Found::Stale(stale) if self.may_revalidate(&stale) || self.is_throttled() => {
                Ok(self.serve(stale))
            }
            Found::Stale(stale) => Err(Some(stale)),
            Found::Nothing => Err(None),
        }
    }

    async fn landed(&self, landing: Landing, stale: Option<Stale<T>>) -> Result<Result<Arc<T>, E>, Again> {
        match landing {
            // A value of another type is of no use here; the next seat will find it and load over it.
            Landing::Value(value) => {
                if stale.is_some() {
                    self.count_read(Event::Miss);
                }
                value.downcast().map(Ok).map_err(|_| Again::Beside)
            }
            Landing::Found => self.look().await.map(Ok).map_err(|_| Again::Anew),
            Landing::Failed(error) => match stale.filter(|stale| self.may_stand_in(stale)) {
                Some(stale) => Ok(Ok(self.serve(stale))),
                None => {
                    let shared = self.terms.share.zip(error);
                    let error = shared.and_then(|(share, error)| (share.unpack)(&*error));
                    error.inspect(|_| self.count_read(Event::Miss)).map(Err).ok_or(Again::Beside)
                }
            },
            Landing::Unshared => Err(Again::Beside),
            Landing::Abandoned => Err(Again::Anew),
        }
    }
}
