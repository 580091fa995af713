//! The end of a load: what it brought is published, its flight lands, and its caller gets a result.

use std::sync::Arc;
use std::time::Duration;

use super::about::About;
use super::fence::{Fenced, wait_for};
use super::loaded::Kept;
use super::run::Begun;
use super::turn::{Role, Task};
use super::{Job, Loaded, Stale};
use crate::engine::watch::Asked;
use crate::engine::write::plain;
use crate::entry::{Origin, Set, Stored};
use crate::flight::{Landing, Lead};
use crate::lease::Ended;
use crate::reply::Reply;
use crate::stats::Event;
use crate::target::Target;
use crate::timeout::Timeout;
use crate::value::{Cacheable, Value};

impl<T: Cacheable, O, E> Job<'_, T, O, E> {
    /// What the loader brought, and how long that took; `None`: it was given up at its hard timeout.
    pub(super) fn brought(&self, begun: Begun, output: Option<O>) -> Result<(Loaded<T>, Duration), E> {
        let cost = self.engine.shared.clock.now() - begun.over();
        let loaded = match output {
            Some(output) => (self.terms.split)(output),
            // There is a deadline, so the policy has a limit, and its type says what that comes to.
            None => self.timed_out().map_or_else(|| unreachable!("a limit without an error"), Err),
        };
        self.engine.loaded(self.key, cost, loaded.is_ok());
        loaded.map(|loaded| (loaded, cost))
    }

    /// What the caller gets of a load that failed.
    pub(super) fn failed(&self, task: Task<'_, T>, error: E) -> Result<Arc<T>, E> {
        let Task { role, mut fenced, stale, .. } = task;
        if !matches!(role, Role::Uncached) {
            self.throttle();
        }
        if let Some(fenced) = &mut fenced {
            fenced.ended = Ended::Failed;
        }
        drop(fenced);
        role.land(Landing::Failed(self.terms.share.map(|share| (share.pack)(&error))));
        self.stand_in(Err(error), stale)
    }

    /// What the caller gets of one that did not.
    pub(super) async fn succeeded(&self, task: Task<'_, T>, (loaded, cost): (Loaded<T>, Duration)) -> Arc<T> {
        let Task { role, fenced, stale, .. } = task;
        if stale.is_some() {
            self.count_read(Event::Miss);
        }
        if !matches!(role, Role::Uncached) {
            let (value, kept) = (Value::new(loaded.value.clone()), loaded.kept.under(self.policy));
            let landing = self.publish(role.leads(), value, &kept, cost, fenced).await;
            self.engine.shared.throttle.lift(Target::Key(self.key));
            role.land(landing);
        }
        loaded.value
    }

    /// The error of a load that is given up at its hard timeout.
    pub(super) fn timed_out(&self) -> Option<E> {
        let timeout = Timeout::new(self.key, self.policy.hard_limit()?);
        (self.terms.split)((self.loader.limit)(timeout)?).err()
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

impl About<'_> {
    /// Stores what was loaded, if the fence still stands, and gives it back. What the followers get.
    pub(super) async fn publish(
        &self,
        leads: &[Lead],
        value: Value,
        kept: &Kept,
        cost: Duration,
        mut fenced: Option<Fenced<'_>>,
    ) -> Landing {
        if let Some(tags) = &kept.tags {
            leads.iter().for_each(|lead| lead.bears(tags));
        }
        let stored = match &mut fenced {
            Some(fenced) if leads.iter().all(Lead::is_followed) => {
                let stored = self.store(leads, &value, kept, cost, fenced).await;
                if stored.is_none() {
                    fenced.ended = Ended::Unshared;
                }
                stored
            }
            _ => None,
        };
        // If one of its own tags was invalidated, nobody could know it while it flew: who joined after that must not have
        // it.
        match stored {
            Some(Stored::Fenced) if kept.tags.is_some() => Landing::Abandoned,
            None if kept.tags.is_some() && leads.iter().any(Lead::outlived_a_tag) => Landing::Unshared,
            _ => Landing::Value(value),
        }
    }

    /// `None`: it is not for the cache, or the cache cannot say what became of it.
    pub(super) async fn store(
        &self,
        leads: &[Lead],
        value: &Value,
        kept: &Kept,
        cost: Duration,
        fenced: &Fenced<'_>,
    ) -> Option<Stored> {
        if !kept.stored {
            return None;
        }
        let tags = kept.tags.as_deref().unwrap_or(self.policy.tag_list());
        let counter = value.as_integer().is_some();
        if let Err(error) = kept.check().and_then(|()| plain(counter, self.key, self.policy, tags)) {
            self.engine.note(&error);
            return None;
        }
        let ttl = kept.ttl.unwrap_or(self.policy.ttl_or(self.engine.shared.default_ttl));
        let fill = self.policy.fill(ttl, kept.is_negative(value), cost);
        let origin = Origin { cost, ..self.policy.origin() };
        let fence = Some(fenced.fence);
        let options = Set { tags, fence, origin, glance: fill.glance, ..Set::new(fill.lifetime) };
        let stored = match self.engine.cache.set(self.key, value.clone(), options) {
            Reply::Ready(stored) => stored,
            reply => Box::pin(wait_for(leads, reply)).await,
        };
        self.engine.heard(Asked::Write, &stored);
        if matches!(stored, Ok(Stored::Fenced)) {
            self.saw(Event::Fenced);
        }
        stored.ok()
    }
}
