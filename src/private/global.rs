//! Cached functions over the global cache; a hit does not clone its handle.

use std::future::Future;

use cache_core::private::{Shape, cached_async, cached_sync, fresh, invalidate};
use cache_core::{Cacheable, Compute, LoadPolicy, Reply, Uninterrupted};

use crate::global::{global, with_global};

/// An async cached function.
#[inline]
pub async fn cached_async_global<T, R, P, L>(
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
    if let Some(hit) = with_global(|cache| fresh(cache, key, &shape)) {
        return hit;
    }
    cached_async(&global(), key, shape, plan).await
}

/// A synchronous cached function.
#[inline]
pub fn cached_sync_global<T, R, P, F>(key: &str, shape: Shape<T, R>, plan: impl FnOnce() -> (P, F)) -> R
where
    T: Cacheable,
    R: 'static,
    P: LoadPolicy<Compute<F>> + Uninterrupted,
    F: FnOnce() -> R,
{
    with_global(|cache| cached_sync(cache, key, shape, plan))
}

/// Invalidates a key of the global cache.
pub fn invalidate_global(key: &str) -> Reply<'static, ()> {
    with_global(|cache| invalidate(cache, key))
}
