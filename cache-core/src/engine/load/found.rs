//! What a load finds in the cache, and what a value that is not quite fresh may still be used for.

use std::sync::Arc;
use std::time::Duration;

use super::fence::wait_for;
use super::{Job, Previous};
use crate::clock::Time;
use crate::engine::watch::Asked;
use crate::entry::Entry;
use crate::error::Error;
use crate::flight::Lead;
use crate::reply::Reply;
use crate::stats::Event;
use crate::value::Cacheable;

pub(super) enum Found<T> {
    Fresh(Arc<T>),
    Stale(Stale<T>),
    Nothing,
}

/// A value to be replaced, with the ends of both windows in which it may be served meanwhile. It is stale, or fresh and
/// to be refreshed early.
pub(super) struct Stale<T> {
    pub(super) value: Arc<T>,
    early: bool,
    revalidate_until: Time,
    stand_in_until: Time,
}

impl<T> Clone for Stale<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), ..*self }
    }
}

impl<T: Cacheable, O, E> Job<'_, T, O, E> {
    /// Reads the cache. What is wrong with it is noted, and is a miss.
    pub(super) async fn find(&self, leads: &[Lead]) -> Found<T> {
        if self.terms.anew {
            return self.nothing();
        }
        let entry = match self.engine.cache.get(self.key, T::kind()) {
            Reply::Ready(entry) => entry,
            reply => Box::pin(wait_for(leads, reply)).await,
        };
        self.engine.heard(Asked::Read, &entry);
        let Ok(Some(entry)) = entry else { return self.nothing() };
        let too_old = self.policy.age_limit().is_some_and(|limit| entry.is_too_old(limit));
        if too_old || entry.origin.version != self.policy.version_number() {
            return self.nothing();
        }
        let fresh = !entry.left.fresh.is_zero();
        let early = fresh && self.policy.is_early(&entry);
        if fresh && !early {
            return self.typed(&entry).map_or_else(
                || self.nothing(),
                |value| {
                    self.count_read(Event::Hit);
                    Found::Fresh(value)
                },
            );
        }
        let Some(value) = self.typed(&entry) else { return self.nothing() };
        let stale = self.windows(value, &entry, early);
        if self.may_serve(&stale) { Found::Stale(stale) } else { self.nothing() }
    }

    fn typed(&self, entry: &Entry) -> Option<Arc<T>> {
        let value = entry.value.clone().downcast::<T>();
        value
            .inspect_err(|value| {
                self.engine.note(&Error::type_mismatch(self.key, value.kind().name(), T::kind().name()))
            })
            .ok()
    }

    fn windows(&self, value: Arc<T>, entry: &Entry, early: bool) -> Stale<T> {
        let now = self.engine.shared.clock.now();
        let until = |window: Duration| {
            let left = window.saturating_sub(entry.stale_for).min(entry.left.total);
            let until = if early { (now + entry.left.fresh).max(now + left) } else { now + left };
            // Nor longer than a reader who minds its age may have it.
            self.policy.age_limit().map_or(until, |limit| until.min(now + limit.saturating_sub(entry.age)))
        };
        let (swr, sie) = (self.policy.swr_window(), self.policy.sie_window());
        Stale { value, early, revalidate_until: until(swr), stand_in_until: until(sie) }
    }

    /// What a loader that asks for it has in its hand. Read again now that the fence is taken: what was invalidated since
    /// the first look, by whomever, must not come back as not modified.
    pub(super) async fn previous(&self, leads: &[Lead]) -> Option<Previous<T>> {
        let entry =
            Box::pin(wait_for(leads, self.engine.cache.confirmed(self.key, T::kind()))).await.ok()??;
        let value = entry.value.downcast().ok()?;
        (entry.origin.version == self.policy.version_number()).then_some(Previous {
            value,
            age: entry.age,
            tags: entry.tags,
        })
    }

    pub(super) fn nothing(&self) -> Found<T> {
        self.count_read(Event::Miss);
        Found::Nothing
    }

    /// Stale-while-revalidate: it may be served at once while one load refreshes it.
    pub(super) fn may_revalidate(&self, stale: &Stale<T>) -> bool {
        self.engine.shared.clock.now() < stale.revalidate_until
    }

    /// Stale-if-error: it may stand in for a load that failed.
    pub(super) fn may_stand_in(&self, stale: &Stale<T>) -> bool {
        self.engine.shared.clock.now() < stale.stand_in_until
    }

    /// It may be served for one reason or another.
    pub(super) fn may_serve(&self, stale: &Stale<T>) -> bool {
        self.may_revalidate(stale) || self.may_stand_in(stale)
    }

    pub(super) fn serve(&self, stale: Stale<T>) -> Arc<T> {
        self.count_read(if stale.early { Event::Hit } else { Event::StaleHit });
        stale.value
    }
}
