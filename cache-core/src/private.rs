//! What macro expansions call. Not a stable interface.

mod each;

use std::future::Future;
use std::sync::Arc;

pub use each::{Elements, Keyed, compute, invalidate_each};

use crate::engine::{Compute, Engine, LoadPolicy, Loaded, Terms, Uninterrupted, Untold};
pub use crate::engine::{Share, Writer};
pub use crate::key::check_template;
use crate::key::{KeyBuilder, KeyPart, MAX_KEY_LEN};
use crate::reply::Reply;
pub use crate::runtime::block_on;
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
    fn terms(&self, blocking: bool) -> Terms<T, R, R> {
        Terms { split: self.split, share: self.share, blocking, takes_any: true }
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
    shape.joined(cache.load(key, shape.terms(false), plan).await)
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
    if let Some(hit) = fresh(cache, key, &shape) {
        return hit;
    }
    let plan = || {
        let (policy, compute) = plan();
        (policy, Untold(|| Compute::new(compute)))
    };
    shape.joined(block_on(cache.load(key, shape.terms(true), plan)))
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

/// An argument as it will stand in a key, for where it is gone when the key is made.
pub fn text_of<P: KeyPart + ?Sized>(part: &P) -> String {
    let mut key = KeyBuilder::new();
    key.part(part);
    key.into_text()
}

/// A pattern made from a template. Keys are cut at 1024 bytes, so a longer pattern would match none of those that it
/// means: it is widened to what it begins with.
pub fn pattern(builder: KeyBuilder) -> String {
    let mut text = builder.into_text();
    if text.len() > MAX_KEY_LEN {
        let literal = text.find(['*', '?', '[', '\\']).unwrap_or(text.len());
        text.truncate(text.floor_char_boundary(literal.min(MAX_KEY_LEN - 34)));
        text.push('*');
    }
    text
}
