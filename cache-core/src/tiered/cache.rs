//! [`Tiered`] as a [`Cache`].

use std::sync::Weak;
use std::time::Duration;

use super::Tiered;
use super::near::{is_here_alone, tiers_of};
use super::pairs::Pair;
use super::place::{Copied, Place};
use super::sampler::Sampler;
use crate::cache::Cache;
use crate::connection::Connection;
use crate::deadline::{Freshness, Lifetime};
use crate::entry::{Entry, Set, Stored, Tiers, Usage};
use crate::error::{Error, ErrorKind, Result};
use crate::fence::Fence;
use crate::lease::{Ended, Lease};
use crate::listener::{Listener, Notices};
use crate::reply::Reply;
use crate::target::{Named, Strength, Target};
use crate::token::Token;
use crate::value::{Kind, Value};

/// Whether far is not there, as against having an answer that is an error.
fn is_away(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Queued)
}

impl Tiered {
    /// A hit of near.
    #[inline]
    fn served(&self, key: &str, value: &Value) {
        if let Some(sampler) = &self.sampler {
            sampler.saw(key, value);
        }
    }

    /// Changes far, and strikes what near has of it: before, so that who reads from now on asks far; and after, for who
    /// asked far in between may have got what was there before.
    ///
    /// Whoever drops the reply gives up the second: the change is under way, and what such a reader brought is then struck
    /// by the notice of it, or when its trust is over.
    fn around<'a, T: Send + 'a>(
        &'a self,
        target: Target<'_>,
        strength: Strength,
        change: impl FnOnce(&'a dyn Cache) -> Reply<'a, T>,
    ) -> Reply<'a, T> {
        self.near.strike(target, strength);
        let target = Named::from(target);
        change(&*self.far).then(move |answer| {
            self.near.strike(target.target(), strength);
            answer
        })
    }

    /// Stores in near alone what is not for far. What far still has under the key is older, and must not come forth.
    fn set_here(&self, key: &str, value: Value, options: &Set<'_>) -> Reply<'_, Stored> {
        let copied = Copied::new(key, &value, options, None);
        let forget = |key| self.far.invalidate(Target::Key(key), Strength::Remove);
        if options.if_absent {
            self.near.renew();
            // What is not kept must not be taken for a claim that was won.
            return match copied.put(&self.near).unwrap_or(Stored::Exists) {
                Stored::Yes => forget(key).map(|()| Stored::Yes),
                refused => Reply::ready(refused),
            };
        }
        self.near.strike(Target::Key(key), Strength::Remove);
        let key = Box::<str>::from(key);
        forget(&key).then(move |forgotten| {
            // Over whatever a reader has copied in between.
            self.near.strike(Target::Key(&key), Strength::Remove);
            forgotten?;
            copied.put(&self.near);
            Ok(Stored::Yes)
        })
    }

    /// Publishes what a load has brought: in far first, and then in near.
    fn publish(&self, key: &str, value: Value, options: Set<'_>, fence: Fence) -> Reply<'_, Stored> {
        let Some(Pair { near, far }) = self.pairs.get(fence) else { return Reply::ready(Stored::Fenced) };
        let tiers = tiers_of(&value, options.origin.tiers);
        let copied = near.map(|fence| Copied::new(key, &value, &options, Some(fence)));
        if tiers == Tiers::L1 {
            let stored = copied.and_then(|copied| copied.put(&self.near));
            return Reply::ready(stored.unwrap_or(Stored::Yes));
        }
        let copied = copied.filter(|_| tiers == Tiers::Both);
        let far = match far {
            Ok(far) => far,
            Err(why) => {
                copied.map(|copied| copied.put_alone(&self.near));
                let message = format!("{key:?} is kept in this process alone: when its load began, {why}");
                return Reply::error(Error::new(ErrorKind::Unavailable, message));
            }
        };
        let key = Box::<str>::from(key);
        self.far.set(&key, value, Set { fence: Some(far), ..options }).then(move |stored| {
            let is_here = copied.is_some_and(|copied| match &stored {
                Ok(Stored::Yes) => copied.replace(&self.near),
                Err(error) if is_away(error) => copied.put_alone(&self.near),
                _ => false,
            });
            if !is_here {
                // What near still has is older than what is in far now, or may be.
                self.near.strike(Target::Key(&key), Strength::Remove);
            }
            stored
        })
    }

    /// The fence of a load: near's, and far's if far can be asked.
    fn pair(&self, place: Place<'_>, far: Result<Fence>) -> Result<Fence> {
        let far = match far {
            Err(error) if !is_away(&error) => return Err(error),
            far => far.map_err(|error| error.to_string().into()),
        };
        Ok(self.pairs.join(Pair { near: place.into_fence(), far }))
    }
}

#[deny(clippy::missing_trait_methods)]
impl Cache for Tiered {
    #[inline]
    fn fresh(&self, key: &str) -> Option<Value> {
        let value = self.near.fresh(key)?;
        self.served(key, &value);
        Some(value)
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        let spare = match self.near.held(key, kind) {
            Some(entry) if entry.freshness() == Freshness::Fresh || is_here_alone(&entry) => {
                self.served(key, &entry.value);
                return Reply::ready(Some(entry));
            }
            stale => stale,
        };
        let place = Place::take(&self.near, key);
        self.far.get(key, kind).then(move |found| match found {
            Ok(Some(entry)) => {
                place.fill(&entry);
                Ok(Some(entry))
            }
            Err(error) if spare.is_some() && is_away(&error) => Ok(spare),
            other => other,
        })
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        match self.near.held(key, kind).filter(is_here_alone) {
            Some(entry) => Reply::ready(Some(entry)),
            None => self.far.confirmed(key, kind),
        }
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        let spare = match self.near.held(key, Kind::of::<()>()) {
            Some(entry) if entry.freshness() == Freshness::Fresh || is_here_alone(&entry) => {
                return Reply::ready(Some(entry.left));
            }
            stale => stale,
        };
        self.far.ttl(key).then(move |left| match (left, spare) {
            (Err(error), Some(spare)) if is_away(&error) => Ok(Some(spare.left)),
            (left, _) => left,
        })
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        match (options.fence, tiers_of(&value, options.origin.tiers)) {
            (Some(fence), _) => self.publish(key, value, options, fence),
            (None, Tiers::L1) => self.set_here(key, value, &options),
            // Near stays empty: which of two writes is the later one, only far knows.
            (None, _) => self.around(Target::Key(key), Strength::Remove, |far| far.set(key, value, options)),
        }
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.near.renew();
        let went = self.near.cache.delete(key).wait().unwrap_or(false);
        self.around(Target::Key(key), Strength::Remove, |far| far.delete(key)).map(move |far| far || went)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.around(target, strength, |far| far.invalidate(target, strength))
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        if self.near.held(key, Kind::of::<()>()).as_ref().is_some_and(is_here_alone) {
            return self.near.cache.expire(key, ttl);
        }
        self.around(Target::Key(key), Strength::Remove, |far| far.expire(key, ttl))
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.around(Target::Key(key), Strength::Remove, |far| far.incr(key, delta, lifetime))
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        let place = Place::take(&self.near, key);
        self.far.fence(key).then(move |far| self.pair(place, far))
    }

    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        let place = Place::take(&self.near, key);
        self.far.lease(key, retrying).then(move |lease| match lease {
            Ok(Lease::Theirs(ended)) => Ok(Lease::Theirs(ended)),
            Ok(Lease::Mine(fence)) => self.pair(place, Ok(fence)).map(Lease::Mine),
            Ok(Lease::LookAgain(fence)) => self.pair(place, Ok(fence)).map(Lease::LookAgain),
            Err(error) => self.pair(place, Err(error)).map(Lease::Mine),
        })
    }

    fn release(&self, key: &str, fence: Fence) {
        self.settle(key, fence, Ended::Somehow);
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        let Some(Pair { near, far }) = self.pairs.part(fence) else { return };
        if let Some(near) = near {
            self.near.cache.release(key, near);
        }
        if let Ok(far) = far {
            self.far.settle(key, far, ended);
        }
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        match self.notices {
            Notices::Given => {
                let tell = || listener.upgrade().into_iter().for_each(|listener| listener.restored());
                self.near.trust.joined(|| self.near.listeners.add(listener.clone()), tell);
            }
            // Far may still have all of it thrown out: for somebody who waits until all have handled a change.
            Notices::Withheld => self.near.listeners.add(listener),
            Notices::Needless => {}
        }
        self.notices
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        let reply = self.far.acknowledged();
        if self.notices != Notices::Withheld {
            return reply;
        }
        // Nobody is told of anything, so nobody can say that he has handled it: but no copy lives longer.
        let over = self.near.trust.over();
        Reply::Pending(Box::pin(async move {
            reply.await?;
            over.await;
            Ok(())
        }))
    }

    fn token(&self) -> Reply<'_, Token> {
        self.far.token()
    }

    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        let reply = self.far.read_after(token);
        if self.notices != Notices::Withheld {
            return reply;
        }
        reply.map(|()| self.near.flush())
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        let near = self.near.cache.troubles().wait().unwrap_or_default();
        let why = self.far.remote().and_then(|remote| remote.untold);
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        let channel = self.near.trust.trouble().map(|trouble| trouble + &why);
        let sampled = self.sampler.as_ref().and_then(Sampler::trouble);
        self.far
            .troubles()
            .map(move |far| near.into_iter().chain(channel).chain(sampled).chain(far).collect())
    }

    fn remote(&self) -> Option<Connection> {
        self.far.remote()
    }

    fn close(&self, within: Duration) -> Reply<'_, u64> {
        self.sampler.iter().for_each(Sampler::end);
        self.far.close(within)
    }

    /// What far holds, where it knows; else what near holds, which is what this process does.
    fn usage(&self) -> Usage {
        let far = self.far.usage();
        let mut coherence = far.coherence;
        // Of one break every tier behind hears.
        coherence.gaps = coherence.gaps.max(self.near.trust.gaps());
        if let Some(sampler) = &self.sampler {
            sampler.count(&mut coherence);
        }
        let held = if far.is_unknown() { self.near.cache.usage() } else { far };
        Usage { coherence, ..held }
    }
}
