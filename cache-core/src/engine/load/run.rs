//! One run of a loader: fence, load, publish.

use std::future::Future;
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
struct Fenced<'f> {
    cache: &'f dyn Cache,
    key: &'f str,
    fence: Fence,
}

impl Drop for Fenced<'_> {
    fn drop(&mut self) {
        self.cache.release(self.key, self.fence);
    }
}

impl<T: Cacheable, O, E> Job<'_, T, O, E> {
    /// Loads without the cache: it is off, or cannot hold this.
    pub(super) async fn uncached<L: Future<Output = O>>(&self, loader: L) -> Result<Arc<T>, E> {
        self.engine.count(Event::Miss);
        self.load(loader).await
    }

    /// Loads and publishes, as the leader of a flight or alone.
    pub(super) async fn run<L: Future<Output = O>>(
        &self,
        lead: Option<&Lead>,
        loader: L,
    ) -> Result<Arc<T>, E> {
        let run = pin!(async {
            // Before the source is read: whatever invalidates the key from here on voids the fence.
            let fenced = self.fence().await;
            let value = self.load(loader).await?;
            if let Some(fenced) = fenced
                && lead.is_none_or(Lead::is_followed)
            {
                self.publish(&value, fenced).await;
            }
            Ok(value)
        });
        Piloted::new(lead, run).await
    }

    async fn fence(&self) -> Option<Fenced<'_>> {
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

    async fn publish(&self, value: &Arc<T>, fenced: Fenced<'_>) {
        let options = Set {
            lifetime: self.policy.lifetime(),
            tags: self.policy.tag_list(),
            fence: Some(fenced.fence),
            if_absent: false,
        };
        match fenced.cache.set(fenced.key, Value::new(value.clone()), options).await {
            Ok(Stored::Yes | Stored::Exists) => {}
            Ok(Stored::Fenced) => self.engine.count(Event::Fenced),
            Err(error) => self.engine.note(&error),
        }
    }
}
