//! One run of a loader: fence, load, publish.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::gate::Permit;
use super::panics::Counted;
use super::{Job, Loaded};
use crate::cache::Cache;
use crate::clock::within;
use crate::engine::write::plain;
use crate::entry::{Origin, Set, Stored};
use crate::error::Result;
use crate::fence::Fence;
use crate::flight::{Landing, Lead, Piloted};
use crate::reply::Reply;
use crate::stats::Event;
use crate::timeout::Timeout;
use crate::value::{Cacheable, Value};

/// A fence in use, given back when the load is over, however it ends.
///
/// Borrows the cache and the key where the load runs in its caller; owns them where it runs in the background.
pub(super) struct Fenced<C: Deref<Target = dyn Cache>, K: Deref<Target = str>> {
    cache: C,
    key: K,
    fence: Fence,
}

impl<C: Deref<Target = dyn Cache>, K: Deref<Target = str>> Drop for Fenced<C, K> {
    fn drop(&mut self) {
        self.cache.release(&self.key, self.fence);
    }
}

/// A fence of a load in its caller.
pub(super) type Borrowed<'f> = Fenced<&'f (dyn Cache + 'static), &'f str>;
/// A fence of a load that can leave its caller.
pub(super) type Owned = Fenced<Arc<dyn Cache>, Box<str>>;

impl Borrowed<'_> {
    /// The same fence, for a load in the background.
    pub(super) fn into_owned(self, cache: Arc<dyn Cache>) -> Owned {
        let this = ManuallyDrop::new(self);
        Fenced { cache, key: this.key.into(), fence: this.fence }
    }
}

/// What the backend says, to the leader of these flights (or to somebody alone), if it does not say so at once: while the
/// leader waits, it shows its followers that it lives.
pub(super) async fn wait_for<R>(leads: &[Lead], reply: Reply<'_, R>) -> Result<R> {
    Piloted::new(leads, pin!(reply)).await
}

impl<T: Cacheable, O, E> Job<'_, T, O, E> {
    /// Loads without the cache: it is off, or cannot hold this.
    pub(super) async fn uncached<L: Future<Output = O>>(&self, loader: L) -> Result<Arc<T>, E> {
        self.count_read(Event::Miss);
        self.load(&[], loader).await.map(|(loaded, _)| loaded.value)
    }

    /// A fence, taken before the loader is even started: its closure may read the source already.
    pub(super) async fn fence(&self, leads: &[Lead]) -> Option<Borrowed<'_>> {
        let cache = &*self.engine.cache;
        let fence = match cache.fence(self.key) {
            Reply::Ready(fence) => fence,
            reply => Box::pin(wait_for(leads, reply)).await,
        };
        match fence {
            Ok(fence) => Some(Fenced { cache, key: self.key, fence }),
            Err(error) => {
                self.engine.note(&error);
                None
            }
        }
    }

    /// Loads and publishes under a fence that was taken before, as the leader of a flight or alone. What its caller gets,
    /// and what its followers do.
    pub(super) async fn load_and_publish<C, K, L>(
        &self,
        leads: &[Lead],
        fenced: Option<Fenced<C, K>>,
        loader: L,
    ) -> (Result<Arc<T>, E>, Landing)
    where
        C: Deref<Target = dyn Cache>,
        K: Deref<Target = str>,
        L: Future<Output = O>,
    {
        let (loaded, cost) = match self.load(leads, loader).await {
            Ok(loaded) => loaded,
            Err(error) => {
                let shared = self.terms.share.map(|share| (share.pack)(&error));
                return (Err(error), Landing::Failed(shared));
            }
        };
        if let Some(tags) = &loaded.tags {
            leads.iter().for_each(|lead| lead.bears(tags));
        }
        let stored = match fenced {
            Some(fenced) if leads.iter().all(Lead::is_followed) => {
                self.publish(leads, &loaded, cost, fenced).await
            }
            _ => None,
        };
        // If one of its own tags was invalidated, nobody could know it while it flew: who joined after that must not have
        // it.
        let landing = match stored {
            Some(Stored::Fenced) if loaded.tags.is_some() => Landing::Abandoned,
            None if loaded.tags.is_some() && leads.iter().any(Lead::outlived_a_tag) => Landing::Unshared,
            _ => Landing::Value(Value::new(loaded.value.clone())),
        };
        (Ok(loaded.value), landing)
    }

    /// What the loader brings, and how long it took.
    async fn load<L: Future<Output = O>>(
        &self,
        leads: &[Lead],
        loader: L,
    ) -> Result<(Loaded<T>, Duration), E> {
        let clock = &self.engine.shared.clock;
        let called = clock.now();
        let deadline = self.policy.hard_limit().map(|limit| called + limit);
        let loader = pin!(async {
            let (permit, began) = match self.permit().await {
                Some(permit) => (Some(permit), clock.now()),
                None => (None, called),
            };
            let place = permit.as_ref().map(Permit::place);
            leads.iter().for_each(|lead| lead.started(place));
            self.engine.count(Event::Load);
            (loader.await, began)
        });
        let panicked = || self.engine.loaded(self.key, clock.now() - called, false);
        let loader = pin!(Counted { loader, panicked });
        let loader = pin!(within(clock, deadline, loader));
        let (output, began) = match Piloted::new(leads, loader).await {
            Some((output, began)) => ((self.terms.split)(output), began),
            // There is a deadline, so the policy has a limit, and its type says what that comes to.
            None => (self.timed_out().map_or_else(|| unreachable!("a limit without an error"), Err), called),
        };
        let cost = clock.now() - began;
        self.engine.loaded(self.key, cost, output.is_ok());
        output.map(|loaded| (loaded.under(self.policy), cost))
    }

    /// The error of a load that is given up at its hard timeout.
    pub(super) fn timed_out(&self) -> Option<E> {
        let timeout = Timeout::new(self.key, self.policy.hard_limit()?);
        (self.terms.split)((self.limit)(timeout)?).err()
    }

    /// `None`: it is not for the cache, or the cache cannot say what became of it.
    pub(super) async fn publish<C, K>(
        &self,
        leads: &[Lead],
        loaded: &Loaded<T>,
        cost: Duration,
        fenced: Fenced<C, K>,
    ) -> Option<Stored>
    where
        C: Deref<Target = dyn Cache>,
        K: Deref<Target = str>,
    {
        if !loaded.stored {
            return None;
        }
        let value = Value::new(loaded.value.clone());
        let (key, tags) = (&*fenced.key, loaded.tags.as_deref().unwrap_or(self.policy.tag_list()));
        let counter = value.as_integer().is_some();
        if let Err(error) = loaded.check().and_then(|()| plain(counter, key, self.policy, tags)) {
            self.engine.note(&error);
            return None;
        }
        let ttl = loaded.ttl.unwrap_or(self.policy.ttl_or(self.engine.shared.default_ttl));
        let fill = self.policy.fill(ttl, loaded.is_negative(&value), cost);
        let origin = Origin { cost, version: self.policy.version_number() };
        let fence = Some(fenced.fence);
        let options = Set { tags, fence, origin, glance: fill.glance, ..Set::new(fill.lifetime) };
        let stored = match fenced.cache.set(key, value, options) {
            Reply::Ready(stored) => stored,
            reply => Box::pin(wait_for(leads, reply)).await,
        };
        match stored {
            Ok(stored) => {
                if stored == Stored::Fenced {
                    self.saw(Event::Fenced);
                }
                Some(stored)
            }
            Err(error) => {
                self.engine.note(&error);
                None
            }
        }
    }
}
