//! What macro expansions call. Not a stable interface.

use std::future::Future;
use std::sync::Arc;

pub use crate::engine::Share;
use crate::engine::{Compute, Engine, LoadPolicy, Loaded, Terms, Uninterrupted, Untold};
pub use crate::key::check_template;
use crate::reply::Reply;
use crate::value::Cacheable;

/// How a function's return type `R` becomes a cached `T`, and back.
pub struct Shape<T, R> {
    /// The value to cache, or the result to hand on uncached.
    pub split: fn(R) -> Result<Loaded<T>, R>,
    /// The function's result from a cached value.
    pub join: fn(Arc<T>) -> R,
    /// How to share an uncached result with the followers of its load.
    pub share: Option<Share<R>>,
}

impl<T: Cacheable, R> Shape<T, R> {
    fn terms(&self) -> Terms<T, R, R> {
        Terms { share: self.share, ..Terms::new(self.split, true) }
    }

    fn joined(&self, result: Result<Arc<T>, R>) -> R {
        result.map_or_else(|uncached| uncached, self.join)
    }
}

/// A hit, without a future: what every cached function tries first.
#[inline]
pub fn fresh<T: Cacheable, R>(cache: &Engine, key: &str, shape: &Shape<T, R>) -> Option<R> {
    cache.fresh(key).map(shape.join)
}

/// An async cached function.
#[inline]
pub async fn cached_async<T, R, P, L>(
    cache: &Engine,
    key: &str,
    shape: Shape<T, R>,
    plan: impl FnOnce() -> (P, L),
) -> R
where
    T: Cacheable,
    R: 'static,
    P: LoadPolicy<L>,
    L: Future<Output = R>,
{
    let plan = || {
        let (policy, loader) = plan();
        (policy, Untold(|| loader))
    };
    shape.joined(cache.load(key, shape.terms(), plan).await)
}

/// A synchronous cached function.
#[inline]
pub fn cached_sync<T, R, P, F>(
    cache: &Engine,
    key: &str,
    shape: Shape<T, R>,
    plan: impl FnOnce() -> (P, F),
) -> R
where
    T: Cacheable,
    R: 'static,
    P: LoadPolicy<Compute<F>> + Uninterrupted,
    F: FnOnce() -> R,
{
    shape.joined(cache.load_here(key, shape.terms(), plan))
}

/// Invalidates a key with a reply that does not borrow the cache.
pub fn invalidate(cache: &Engine, key: &str) -> Reply<'static, ()> {
    match cache.invalidate(key) {
        Reply::Pending(_) => {
            // Under way already; asked again by a future that owns the cache, for its answer.
            let (cache, key) = (cache.clone(), Box::<str>::from(key));
            Reply::Pending(Box::pin(async move { cache.invalidate(&*key).await }))
        }
        Reply::Ready(result) => Reply::Ready(result),
        Reply::Taken => Reply::Taken,
    }
}
