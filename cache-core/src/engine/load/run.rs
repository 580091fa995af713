//! One run of a loader: fence, load, publish.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;

use super::Job;
use crate::cache::Cache;
use crate::entry::{Set, Stored};
use crate::error::Result;
use crate::fence::Fence;
use crate::flight::{Lead, Piloted};
use crate::stats::Event;
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

impl Borrowed<'_> {
    /// The same fence, for a load in the background.
    pub(super) fn into_owned(self, cache: Arc<dyn Cache>) -> Fenced<Arc<dyn Cache>, Box<str>> {
        let this = ManuallyDrop::new(self);
        Fenced { cache, key: this.key.into(), fence: this.fence }
    }
}

impl<T: Cacheable, O, E> Job<'_, T, O, E> {
    /// Loads without the cache: it is off, or cannot hold this.
    pub(super) async fn uncached<L: Future<Output = O>>(&self, loader: L) -> Result<Arc<T>, E> {
        self.engine.count(Event::Miss);
        self.load(loader).await
    }

    /// Takes a fence, loads and publishes, as the leader of a flight or alone.
    pub(super) async fn run<S, L>(&self, lead: Option<&Lead>, start: S) -> Result<Arc<T>, E>
    where
        S: FnOnce() -> L,
        L: Future<Output = O>,
    {
        let run = pin!(async {
            // Before the loader is even started: its closure may read the source already.
            let fenced = self.fence().await;
            self.load_and_publish(lead, fenced, start()).await
        });
        Piloted::new(lead, run).await
    }

    /// Loads and publishes under a fence that was taken before.
    pub(super) async fn run_fenced<C, K, L>(
        &self,
        lead: &Lead,
        fenced: Option<Fenced<C, K>>,
        loader: L,
    ) -> Result<Arc<T>, E>
    where
        C: Deref<Target = dyn Cache>,
        K: Deref<Target = str>,
        L: Future<Output = O>,
    {
        Piloted::new(Some(lead), pin!(self.load_and_publish(Some(lead), fenced, loader))).await
    }

    async fn load_and_publish<C, K, L>(
        &self,
        lead: Option<&Lead>,
        fenced: Option<Fenced<C, K>>,
        loader: L,
    ) -> Result<Arc<T>, E>
    where
        C: Deref<Target = dyn Cache>,
        K: Deref<Target = str>,
        L: Future<Output = O>,
    {
        let value = self.load(loader).await?;
        if let Some(fenced) = fenced
            && lead.is_none_or(Lead::is_followed)
        {
            self.publish(&value, fenced).await;
        }
        Ok(value)
    }

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

    async fn load<L: Future<Output = O>>(&self, loader: L) -> Result<Arc<T>, E> {
        self.engine.count(Event::Load);
        let clock = &self.engine.shared.clock;
        let began = clock.now();
        let output = loader.await;
        self.engine.shared.counters.load_took(clock.now() - began);
        let result = (self.terms.split)(output);
        if result.is_err() {
            self.engine.count(Event::LoadFailure);
        }
        result
    }

    async fn publish<C, K>(&self, value: &Arc<T>, fenced: Fenced<C, K>)
    where
        C: Deref<Target = dyn Cache>,
        K: Deref<Target = str>,
    {
        let options = Set {
            tags: self.policy.tag_list(),
            fence: Some(fenced.fence),
            ..Set::new(self.policy.lifetime())
        };
        match fenced.cache.set(&fenced.key, Value::new(value.clone()), options).await {
            Ok(Stored::Yes | Stored::Exists) => {}
            Ok(Stored::Fenced) => self.engine.count(Event::Fenced),
            Err(error) => self.engine.note(&error),
        }
    }
}
