//! Reads.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Engine;
use super::watch::Began;
use crate::deadline::Freshness;
use crate::entry::{Entry, Tier};
use crate::error::{Error, Result};
use crate::key;
use crate::reply::Reply;
use crate::stats::Event;
use crate::value::{Cacheable, Kind, Value};

/// What [`lookup`](Engine::lookup) finds.
#[derive(Clone, Debug)]
pub struct Hit<T> {
    /// The value.
    pub value: Arc<T>,
    /// Fresh or stale.
    pub freshness: Freshness,
    /// The time since the value was stored.
    pub age: Duration,
    /// What is left of its freshness; zero if it is stale, [`Duration::MAX`] if it has no end.
    pub remaining: Duration,
    /// Where it was found.
    pub tier: Tier,
}

/// What is left of an entry's freshness.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Ttl {
    /// There is no fresh entry.
    Missing,
    /// It is fresh until it is invalidated or evicted.
    Forever,
    /// It is fresh for so long.
    Left(Duration),
}

impl Engine {
    /// The fresh value of `key`.
    ///
    /// # Errors
    /// `TypeMismatch` if the entry holds another type, `InvalidKey`, and those of a remote backend.
    #[inline]
    pub fn get<T: Cacheable>(&self, key: impl AsRef<str>) -> Reply<'_, Option<Arc<T>>> {
        let key = key.as_ref();
        match self.fresh(key) {
            Some(value) => Reply::Ready(Ok(Some(value))),
            None => self.get_slow(key),
        }
    }

    /// The hit path: a fresh value of this type that needs no waiting. What is wrong with any other, the slow
    /// path finds out.
    #[inline]
    pub(crate) fn fresh<T: Cacheable>(&self, key: &str) -> Option<Arc<T>> {
        let began = Began::read();
        let value = self.cache.fresh(key)?.cast::<T>()?;
        self.saw(key, Event::Hit, began);
        Some(value)
    }

    #[cold]
    #[inline(never)]
    fn get_slow<T: Cacheable>(&self, key: &str) -> Reply<'_, Option<Arc<T>>> {
        let began = Began::read();
        let found = match self.entry(key, T::kind()) {
            Ok(found) => found,
            Err(error) => return Reply::error(error),
        };
        if let Reply::Ready(found) = found {
            return Reply::Ready(found.and_then(|entry| self.fresh_of(key, entry, began)));
        }
        let key: Box<str> = key.into();
        found.and_then(move |entry| self.fresh_of(&key, entry, began))
    }

    fn fresh_of<T: Cacheable>(
        &self,
        key: &str,
        entry: Option<Entry>,
        began: Began,
    ) -> Result<Option<Arc<T>>> {
        let fresh = entry.filter(|entry| entry.freshness() == Freshness::Fresh);
        self.saw(key, if fresh.is_some() { Event::Hit } else { Event::Miss }, began);
        fresh.map(|entry| typed(key, entry.value)).transpose()
    }

    fn entry(&self, key: &str, kind: &'static Kind) -> Result<Reply<'_, Option<Entry>>> {
        key::check(key)?;
        Ok(if self.shared.disabled { Reply::ready(None) } else { self.cache.get(key, kind) })
    }

    /// The value of `key`, fresh or stale, and what is known of it.
    ///
    /// # Errors
    /// As of [`get`](Engine::get).
    pub fn lookup<T: Cacheable>(&self, key: impl AsRef<str>) -> Reply<'_, Option<Hit<T>>> {
        self.lookup_within(key, Duration::MAX)
    }

    /// [`lookup`](Engine::lookup) of a value that was stored no longer than `max_age` ago; at zero there is none.
    ///
    /// # Errors
    /// As of [`get`](Engine::get).
    pub fn lookup_within<T: Cacheable>(
        &self,
        key: impl AsRef<str>,
        max_age: Duration,
    ) -> Reply<'_, Option<Hit<T>>> {
        let (key, began) = (key.as_ref(), Began::read());
        let found = match self.entry(key, T::kind()) {
            Ok(found) => found,
            Err(error) => return Reply::error(error),
        };
        let key: Box<str> = key.into();
        found.and_then(move |entry| {
            let entry = entry.filter(|entry| !entry.is_too_old(max_age));
            let event = match entry.as_ref().map(Entry::freshness) {
                Some(Freshness::Fresh) => Event::Hit,
                Some(Freshness::Stale) => Event::StaleHit,
                None => Event::Miss,
            };
            self.saw(&key, event, began);
            let Some(entry) = entry else { return Ok(None) };
            let freshness = entry.freshness();
            let (age, remaining, tier) = (entry.age, entry.left.fresh, entry.tier);
            Ok(Some(Hit { value: typed(&key, entry.value)?, freshness, age, remaining, tier }))
        })
    }

    /// Whether `key` has a fresh entry.
    ///
    /// # Errors
    /// `InvalidKey`, and those of a remote backend.
    pub fn exists(&self, key: impl AsRef<str>) -> Reply<'_, bool> {
        self.ttl(key).map(|ttl| ttl != Ttl::Missing)
    }

    /// What is left of the freshness of `key`, in whole milliseconds.
    ///
    /// # Errors
    /// `InvalidKey`, and those of a remote backend.
    pub fn ttl(&self, key: impl AsRef<str>) -> Reply<'_, Ttl> {
        let key = key.as_ref();
        if let Err(error) = key::check(key) {
            return Reply::error(error);
        }
        if self.shared.disabled {
            return Reply::ready(Ttl::Missing);
        }
        self.cache.ttl(key).map(|left| match left {
            None => Ttl::Missing,
            Some(left) if left.fresh.is_zero() => Ttl::Missing,
            Some(left) if left.fresh == Duration::MAX => Ttl::Forever,
            Some(left) => Ttl::Left(left.fresh),
        })
    }
}

fn typed<T: Cacheable>(key: &str, value: Value) -> Result<Arc<T>> {
    value.downcast::<T>().map_err(|value| Error::type_mismatch(key, value.kind().name(), T::kind().name()))
}
