//! The fence around a load.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;

use super::about::About;
use crate::cache::Cache;
use crate::error::Result;
use crate::fence::Fence;
use crate::flight::{Lead, Piloted};
use crate::lease::Ended;
use crate::reply::Reply;

/// A fence in use, given back when the load is over, however it ends.
pub(super) struct Fenced<'f> {
    cache: Held<'f>,
    key: Cow<'f, str>,
    pub(super) fence: Fence,
    /// What those in other processes are told who wait for this load.
    pub(super) ended: Ended,
}

/// Borrowed where the load runs in its caller; owned where it runs in the background.
enum Held<'f> {
    Lent(&'f dyn Cache),
    Shared(Arc<dyn Cache>),
}

impl<'f> Fenced<'f> {
    pub(super) fn new(cache: &'f dyn Cache, key: &'f str, fence: Fence) -> Self {
        Self { cache: Held::Lent(cache), key: key.into(), fence, ended: Ended::Somehow }
    }
}

impl Fenced<'_> {
    /// The same fence, for a load in the background. `cache` is the cache it is of.
    pub(super) fn into_owned(mut self, cache: &Arc<dyn Cache>) -> Fenced<'static> {
        let key = Cow::Owned(std::mem::take(&mut self.key).into_owned());
        let owned = Fenced { cache: Held::Shared(cache.clone()), key, fence: self.fence, ended: self.ended };
        std::mem::forget(self);
        owned
    }
}

impl Drop for Fenced<'_> {
    fn drop(&mut self) {
        let cache = match &self.cache {
            Held::Lent(cache) => *cache,
            Held::Shared(cache) => &**cache,
        };
        cache.settle(&self.key, self.fence, self.ended);
    }
}

impl<'j> About<'j> {
    /// A fence, taken before the loader is even started: its closure may read the source already.
    pub(super) async fn fence(&self, leads: &[Lead]) -> Option<Fenced<'j>> {
        let cache = &*self.engine.cache;
        let fence = match cache.fence(self.key) {
            Reply::Ready(fence) => fence,
            reply => Box::pin(wait_for(leads, reply)).await,
        };
        match fence {
            Ok(fence) => Some(Fenced::new(cache, self.key, fence)),
            Err(error) => {
                self.engine.note(&error);
                None
            }
        }
    }
}

/// What the backend says, to the leader of these flights (or to somebody alone), if it does not say so at once: while the
/// leader waits, it shows its followers that it lives.
pub(super) async fn wait_for<R>(leads: &[Lead], reply: Reply<'_, R>) -> Result<R> {
    Piloted::new(leads, pin!(reply)).await
}
