//! Writes and invalidations.

use std::sync::Arc;
use std::time::Duration;

use super::commit::repeat_at_commit;
use super::watch::Began;
use super::{Engine, Kept, Loaded};
use crate::entry::{Set, Stored};
use crate::error::{Error, ErrorKind, Result};
use crate::key;
use crate::policy::{Policy, check_ttl};
use crate::reply::Reply;
use crate::stats::Event;
use crate::target::{AsTarget, Strength, Target};
use crate::value::{Cacheable, Value};

impl Engine {
    /// Stores `value`, replacing what is there. Loads of `key` in flight will not overwrite it.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidPolicy`, `InvalidTag`, and those of a remote backend.
    pub fn set<T: Cacheable>(
        &self,
        key: impl AsRef<str>,
        value: T,
        policy: impl Into<Policy>,
    ) -> Reply<'_, ()> {
        self.set_shared(key, Arc::new(value), policy)
    }

    /// Stores what a load would have brought.
    pub(crate) fn prime<T: Cacheable>(&self, key: &str, loaded: Loaded<T>, policy: Policy) -> Reply<'_, ()> {
        let Kept { ttl, tags, negative, stored, .. } = loaded.kept.under(&policy);
        if !stored {
            return Reply::ready(());
        }
        self.set_shared(key, loaded.value, policy.told(ttl, tags, negative))
    }

    /// [`set`](Engine::set) of a value that is shared already: it is not copied.
    ///
    /// # Errors
    /// As of [`set`](Engine::set).
    pub fn set_shared<T: Cacheable>(
        &self,
        key: impl AsRef<str>,
        value: Arc<T>,
        policy: impl Into<Policy>,
    ) -> Reply<'_, ()> {
        let stored = self.store(key.as_ref(), Value::new(value), &policy.into(), false);
        self.acknowledgeable(stored.map(drop))
    }

    /// Stores `value` where there is nothing fresh; whether it did. What is stale is replaced.
    ///
    /// # Errors
    /// As of [`set`](Engine::set); but where it fails, it takes away nothing that others have stored there. `Unavailable`: the
    /// store cannot be reached; where its answer was lost, `value` may stand there nevertheless, until its TTL is over.
    pub fn set_if_absent<T: Cacheable>(
        &self,
        key: impl AsRef<str>,
        value: T,
        policy: impl Into<Policy>,
    ) -> Reply<'_, bool> {
        let stored = self.store(key.as_ref(), Value::new(Arc::new(value)), &policy.into(), true);
        self.acknowledgeable(stored.map(|stored| stored == Stored::Yes))
    }

    pub(super) fn store(
        &self,
        key: &str,
        value: Value,
        policy: &Policy,
        if_absent: bool,
    ) -> Reply<'_, Stored> {
        let counter = value.as_integer().is_some();
        if let Err(error) =
            self.check(key, policy).and_then(|()| plain(counter, key, policy, policy.tag_list()))
        {
            return Reply::error(error);
        }
        let began = self.wrote(key, Event::Write);
        if self.shared.disabled {
            return self.set_nothing(key, began, if_absent);
        }
        let fill = policy.fill(policy.ttl_or(self.shared.default_ttl), value.is_none(), Duration::ZERO);
        let set = Set {
            tags: policy.tag_list(),
            if_absent,
            origin: policy.origin(),
            glance: fill.glance,
            ..Set::new(fill.lifetime)
        };
        let reply = self.cache.set(key, value, set);
        // What was not stored voids nothing.
        let reply = match reply {
            Reply::Ready(Ok(Stored::Exists)) => reply,
            Reply::Pending(_) if if_absent => {
                let key = Box::<str>::from(key);
                reply.map(move |stored| {
                    if stored != Stored::Exists {
                        self.shared.flights.detach(Target::Key(&key));
                    }
                    stored
                })
            }
            reply => {
                self.shared.flights.detach(Target::Key(key));
                reply
            }
        };
        self.answered("SET", key, began, reply)
    }

    /// What a cache does that is switched off: for others who share its store, the old value is void all the same.
    #[cold]
    fn set_nothing(&self, key: &str, began: Began, if_absent: bool) -> Reply<'_, Stored> {
        if if_absent {
            return Reply::ready(Stored::Yes);
        }
        let reply = self.cache.invalidate(Target::Key(key), Strength::Remove).map(|()| Stored::Yes);
        self.answered("SET", key, began, reply)
    }

    /// A write of `key` is under way: what waits for the old value must not be throttled by it.
    fn wrote(&self, key: &str, event: Event) -> Began {
        let began = Began::write();
        self.count(event);
        self.shared.throttle.lift(Target::Key(key));
        self.shared.updates.disturb(Target::Key(key));
        began
    }

    /// Removes the entry of `key`; true if there was one, fresh or stale. The same as invalidating the key.
    ///
    /// # Errors
    /// `InvalidKey`, and those of a remote backend.
    pub fn delete(&self, key: impl AsRef<str>) -> Reply<'_, bool> {
        let key = key.as_ref();
        if let Err(error) = key::check(key) {
            return Reply::error(error);
        }
        let began = self.wrote(key, Event::Write);
        repeat_at_commit(self, Target::Key(key), Strength::Remove);
        let reply = self.cache.delete(key);
        self.shared.flights.detach(Target::Key(key));
        self.acknowledgeable(self.answered("DELETE", key, began, reply))
    }

    /// Gives a fresh entry a new TTL from now on; false where nothing is fresh. Never makes a stale entry fresh.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidPolicy` for a TTL of zero, and those of a remote backend.
    pub fn expire(&self, key: impl AsRef<str>, ttl: Duration) -> Reply<'_, bool> {
        let key = key.as_ref();
        match key::check(key).and_then(|()| check_ttl(ttl)) {
            Err(error) => Reply::error(error),
            Ok(()) if self.shared.disabled => Reply::ready(false),
            Ok(()) => {
                let reply = self.answered("EXPIRE", key, Began::write(), self.cache.expire(key, ttl));
                self.acknowledgeable(reply)
            }
        }
    }

    /// Adds `delta` to the counter `key`, which begins at zero and then stays until it is deleted; returns the
    /// new value. Exact under concurrency. A counter is a stored `i64`.
    ///
    /// # Errors
    /// `NotAnInteger` and `Overflow`, which leave the value as it was; `InvalidKey`, and those of a remote backend.
    pub fn incr(&self, key: impl AsRef<str>, delta: i64) -> Reply<'_, i64> {
        self.incr_with(key, delta, Policy::forever())
    }

    /// [`incr`](Engine::incr) with a TTL for the counter if this call creates it.
    ///
    /// # Errors
    /// As of [`incr`](Engine::incr), and `InvalidPolicy`: a counter has neither tags nor stale windows.
    pub fn incr_with(&self, key: impl AsRef<str>, delta: i64, policy: impl Into<Policy>) -> Reply<'_, i64> {
        let (key, policy) = (key.as_ref(), policy.into());
        if let Err(error) =
            self.check(key, &policy).and_then(|()| plain(true, key, &policy, policy.tag_list()))
        {
            return Reply::error(error);
        }
        let began = self.wrote(key, Event::Write);
        if self.shared.disabled {
            return Reply::ready(delta);
        }
        let fill = policy.fill(policy.ttl_or(self.shared.default_ttl), false, Duration::ZERO);
        let reply = self.cache.incr(key, delta, fill.lifetime);
        self.shared.flights.detach(Target::Key(key));
        self.acknowledgeable(self.answered("INCR", key, began, reply))
    }

    /// What `target` covers is never served again once this has answered: neither what was stored before, nor
    /// what had begun to load before. Text is a key.
    ///
    /// In other processes that holds once they have been told, which takes a moment; [`acked`](Reply::acked) waits for it.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidPattern`, `InvalidTag`, and those of a remote backend.
    pub fn invalidate(&self, target: impl AsTarget) -> Reply<'_, ()> {
        self.strike(target.as_target(), Strength::Remove)
    }

    /// [`invalidate`](Engine::invalidate) of every key that the glob matches; see [`Pattern`](crate::Pattern).
    ///
    /// # Errors
    /// As of [`invalidate`](Engine::invalidate).
    pub fn invalidate_pattern(&self, pattern: impl AsRef<str>) -> Reply<'_, ()> {
        self.invalidate(Target::Pattern(pattern.as_ref()))
    }

    /// [`invalidate`](Engine::invalidate) of every entry that bears the tag.
    ///
    /// # Errors
    /// As of [`invalidate`](Engine::invalidate).
    pub fn invalidate_tag(&self, tag: impl AsRef<str>) -> Reply<'_, ()> {
        self.invalidate(Target::Tag(tag.as_ref()))
    }

    /// [`invalidate`](Engine::invalidate) of everything in the cache, or in its namespace.
    ///
    /// # Errors
    /// Those of a remote backend.
    pub fn clear(&self) -> Reply<'_, ()> {
        self.invalidate(Target::All)
    }

    /// What `target` covers is no longer fresh: it is still served under stale-while-revalidate or
    /// stale-if-error, while or until something newer is loaded. Text is a key.
    ///
    /// # Errors
    /// As of [`invalidate`](Engine::invalidate).
    pub fn mark_stale(&self, target: impl AsTarget) -> Reply<'_, ()> {
        self.strike(target.as_target(), Strength::MarkStale)
    }

    pub(super) fn strike(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        if let Err(error) = target.check() {
            return Reply::error(error);
        }
        let began = Began::write();
        self.count(Event::Invalidation);
        repeat_at_commit(self, target, strength);
        self.shared.updates.disturb(target);
        let reply = self.cache.invalidate(target, strength);
        self.shared.throttle.lift(target);
        self.shared.flights.detach(target);
        let reply = match (target, reply) {
            // A load may name the tag meanwhile, and be published before the backend comes to it.
            (Target::Tag(tag), reply @ Reply::Pending(_)) => {
                let tag = Box::<str>::from(tag);
                Reply::Pending(Box::pin(async move {
                    let answer = reply.await;
                    self.shared.flights.detach(Target::Tag(&tag));
                    answer
                }))
            }
            (_, reply) => reply,
        };
        self.acknowledgeable(self.struck(target, strength, began, reply))
    }
}

/// A counter has neither tags nor stale windows.
pub(super) fn plain(counter: bool, key: &str, policy: &Policy, tags: &[Box<str>]) -> Result<()> {
    let windows = policy.swr_window().max(policy.sie_window());
    if counter && !(tags.is_empty() && windows.is_zero()) {
        let rule = "an i64 is a counter, and counters have neither tags nor stale windows: give it a TTL alone, or cache \
            it as another type";
        return Err(Error::new(ErrorKind::InvalidPolicy, format!("counter {key:?}: {rule}")));
    }
    Ok(())
}
