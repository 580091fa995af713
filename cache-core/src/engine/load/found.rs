//! What a load finds in the cache, and what a stale value may still be used for.

use std::sync::Arc;

use super::Job;
use crate::clock::Time;
use crate::error::Error;
use crate::stats::Event;
use crate::value::Cacheable;

pub(super) enum Found<T> {
    Fresh(Arc<T>),
    Stale(Stale<T>),
    Nothing,
}

/// A stale value, with the ends of both windows in which it may be served.
pub(super) struct Stale<T> {
    value: Arc<T>,
    revalidate_until: Time,
    stand_in_until: Time,
}

impl<T: Cacheable, O, E> Job<'_, T, O, E> {
    /// Reads the cache. What is wrong with it is noted, and is a miss.
    pub(super) async fn find(&self) -> Found<T> {
        let entry = match self.engine.cache.get(self.key, T::kind()).await {
            Ok(Some(entry)) => entry,
            Ok(None) => return self.nothing(),
            Err(error) => {
                self.engine.note(&error);
                return self.nothing();
            }
        };
        let fresh = !entry.left.fresh.is_zero();
        let (stale_for, total) = (entry.stale_for, entry.left.total);
        match entry.value.downcast::<T>() {
            Err(value) => {
                self.engine.note(&Error::type_mismatch(self.key, value.kind().name(), T::kind().name()));
                self.nothing()
            }
            Ok(value) if fresh => {
                self.engine.count(Event::Hit);
                Found::Fresh(value)
            }
            Ok(value) => {
                let now = self.engine.shared.clock.now();
                let until = |window: std::time::Duration| now + window.saturating_sub(stale_for).min(total);
                let stale = Stale {
                    value,
                    revalidate_until: until(self.policy.swr_window()),
                    stand_in_until: until(self.policy.sie_window()),
                };
                if !self.may_revalidate(&stale) && !self.may_stand_in(&stale) {
                    return self.nothing();
                }
                Found::Stale(stale)
            }
        }
    }

    fn nothing(&self) -> Found<T> {
        self.count_once(&self.missed, Event::Miss);
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

    pub(super) fn serve_stale(&self, stale: Stale<T>) -> Arc<T> {
        self.engine.count(Event::StaleHit);
        stale.value
    }
}
