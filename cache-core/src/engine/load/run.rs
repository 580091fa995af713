//! One run of a loader: fence, load, publish.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::pin::pin;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use super::{Job, Loaded};
use crate::cache::Cache;
use crate::clock::within;
use crate::entry::{Origin, Set, Stored};
use crate::error::Result;
use crate::fence::Fence;
use crate::flight::{Landing, Lead, Piloted};
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

impl<T: Cacheable, O, E> Job<'_, T, O, E> {
    /// Loads without the cache: it is off, or cannot hold this.
    pub(super) async fn uncached<L: Future<Output = O>>(&self, loader: L) -> Result<Arc<T>, E> {
        self.count_read(Event::Miss);
        self.load(None, loader).await.map(|(loaded, _)| loaded.value)
    }

    /// A fence, taken before the loader is even started: its closure may read the source already.
    pub(super) async fn fence(&self) -> Option<Borrowed<'_>> {
        let cache = &*self.engine.cache;
        match cache.fence(self.key).await {
            Ok(fence) => Some(Fenced { cache, key: self.key, fence }),
            Err(error) => {
                self.engine.note(&error);
                None
            }
        }
    }

    /// Loads and publishes as the leader of a flight, under a fence that was taken before.
    pub(super) async fn run_fenced<C, K, L>(
        &self,
        lead: &Lead,
        fenced: Option<Fenced<C, K>>,
        loader: L,
    ) -> (Result<Arc<T>, E>, Landing)
    where
        C: Deref<Target = dyn Cache>,
        K: Deref<Target = str>,
        L: Future<Output = O>,
    {
        let run = pin!(self.load_and_publish(Some(lead), fenced, loader));
        Piloted::new(slice::from_ref(lead), run).await
    }

    /// Loads and publishes under a fence that was taken before, as the leader of a flight or alone. What its caller gets,
    /// and what its followers do.
    pub(super) async fn load_and_publish<C, K, L>(
        &self,
        lead: Option<&Lead>,
        fenced: Option<Fenced<C, K>>,
        loader: L,
    ) -> (Result<Arc<T>, E>, Landing)
    where
        C: Deref<Target = dyn Cache>,
        K: Deref<Target = str>,
        L: Future<Output = O>,
    {
        let (loaded, cost) = match self.load(lead, loader).await {
            Ok(loaded) => loaded,
            Err(error) => {
                let shared = self.terms.share.map(|share| (share.pack)(&error));
                return (Err(error), Landing::Failed(shared));
            }
        };
        if let (Some(lead), Some(tags)) = (lead, &loaded.tags) {
            lead.bears(tags);
        }
        let mut landing = Landing::Value(Value::new(loaded.value.clone()));
        if let Some(fenced) = fenced
            && lead.is_none_or(Lead::is_followed)
            && self.publish(&loaded, cost, fenced).await == Stored::Fenced
            && loaded.tags.is_some()
        {
            // One of its own tags was invalidated, which nobody could know while it flew: who joined after that must
            // not have it.
            landing = Landing::Abandoned;
        }
        (Ok(loaded.value), landing)
    }

    /// What the loader brings, and how long it took.
    async fn load<L: Future<Output = O>>(
        &self,
        lead: Option<&Lead>,
        loader: L,
    ) -> Result<(Loaded<T>, Duration), E> {
        let clock = &self.engine.shared.clock;
        let called = clock.now();
        let deadline = self.policy.hard_limit().map(|limit| called + limit);
        let loader = pin!(async {
            let (_permit, began) = match self.permit().await {
                Some(permit) => (Some(permit), clock.now()),
                None => (None, called),
            };
            lead.inspect(|lead| lead.started());
            self.engine.count(Event::Load);
            (loader.await, began)
        });
        let (output, began) = match within(clock, deadline, loader).await {
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

    /// `Fenced` also where nothing says that it is not.
    pub(super) async fn publish<C, K>(
        &self,
        loaded: &Loaded<T>,
        cost: Duration,
        fenced: Fenced<C, K>,
    ) -> Stored
    where
        C: Deref<Target = dyn Cache>,
        K: Deref<Target = str>,
    {
        if !loaded.stored {
            return Stored::Fenced;
        }
        let value = Value::new(loaded.value.clone());
        let (key, tags) = (&*fenced.key, loaded.tags.as_deref().unwrap_or(self.policy.tag_list()));
        if let Err(error) = loaded.check() {
            self.engine.note(&error);
            return Stored::Fenced;
        }
        let ttl = loaded.ttl.unwrap_or(self.policy.ttl_or(self.engine.shared.default_ttl));
        let fill = self.policy.fill(ttl, loaded.is_negative(&value), cost);
        let origin = Origin { cost, version: self.policy.version_number() };
        let fence = Some(fenced.fence);
        let options = Set { tags, fence, origin, glance: fill.glance, ..Set::new(fill.lifetime) };
        match fenced.cache.set(key, value, options).await {
            Ok(Stored::Fenced) => self.saw(Event::Fenced),
            Ok(stored) => return stored,
            // As where there was no fence to be had: nobody is made to load again for the backend's trouble.
            Err(error) => {
                self.engine.note(&error);
                return Stored::Yes;
            }
        }
        Stored::Fenced
    }
}
