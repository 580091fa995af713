//! How what a function returns travels into the cache and back.

use std::sync::Arc;

use super::{Ask, Call};
use crate::engine::{Loaded, Share, Terms};
use crate::key::KeyBuilder;
use crate::value::Cacheable;

/// How a function's return type `R` becomes a cached `T`, and back. `O` is what its load gives: `R`, or
/// [`Judged`](super::Judged).
pub struct Shape<T, O, R> {
    /// The value to cache, or the result to hand on uncached.
    pub split: fn(O) -> Result<Loaded<T>, R>,
    /// The function's result from a cached value.
    pub join: fn(Arc<T>) -> R,
    /// What the function returned, and nothing else.
    pub bare: fn(O) -> R,
    /// Whether that says that the function failed.
    pub failed: fn(&R) -> bool,
    /// How to share an uncached result with the followers of its load.
    pub share: Option<Share<R>>,
}

impl<T: Cacheable, O, R> Shape<T, O, R> {
    /// A call of the function. The key stays where it was built: what was just written is cheaper to read than to move.
    #[inline]
    pub fn call<H>(self, cache: H, ask: Ask, key: &mut KeyBuilder) -> Call<'_, H, T, O, R> {
        Call { cache, ask, key: key.finish_here(), shape: self }
    }

    pub(super) fn terms(&self, ask: Ask, blocking: bool) -> Terms<T, O, R> {
        let anew = ask == Ask::Anew;
        Terms { split: self.split, share: self.share, blocking, takes_any: false, anew }
    }

    pub(super) fn joined(&self, result: Result<Arc<T>, R>) -> R {
        result.map_or_else(|uncached| uncached, self.join)
    }
}
