//! The fence around a load.

use std::mem;
use std::pin::pin;
use std::sync::Arc;

use super::about::About;
use crate::cache::Cache;
use crate::error::Result;
use crate::fence::Fence;
use crate::flight::{Lead, Piloted};
use crate::lease::Ended;
use crate::nothing::Nothing;
use crate::reply::Reply;

/// A fence in use, given back when the load is over, however it ends.
pub(super) struct Fenced<'f> {
    of: Of<'f>,
    pub(super) fence: Fence,
    /// What those in other processes are told who wait for this load.
    pub(super) ended: Ended,
}

/// The key, and the cache: borrowed where the load runs in its caller; owned where it runs in the background.
enum Of<'f> {
    Lent(&'f str, &'f dyn Cache),
    Shared(Box<str>, Arc<dyn Cache>),
}

impl Of<'_> {
    fn get(&self) -> (&str, &dyn Cache) {
        match self {
            Self::Lent(key, cache) => (key, *cache),
            Self::Shared(key, cache) => (key, &**cache),
        }
    }
}

impl<'f> Fenced<'f> {
    pub(super) fn new(cache: &'f dyn Cache, key: &'f str, fence: Fence) -> Self {
        Self { of: Of::Lent(key, cache), fence, ended: Ended::Somehow }
    }

    /// The same fence, for a load in the background. `cache` is the cache it is of.
    pub(super) fn into_owned(mut self, cache: &Arc<dyn Cache>) -> Fenced<'static> {
        let of = Of::Shared(self.of.get().0.into(), cache.clone());
        let owned = Fenced { of, fence: self.fence, ended: self.ended };
        // Nothing is left to be dropped in it.
        self.of = Of::Lent("", &Nothing);
        mem::forget(self);
        owned
    }
}

impl Drop for Fenced<'_> {
    fn drop(&mut self) {
        let (key, cache) = self.of.get();
        cache.settle(key, self.fence, self.ended);
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
