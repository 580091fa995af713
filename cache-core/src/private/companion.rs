//! What the companions of a cached function do: each takes the function's cache and a key.

use std::future::Future;
use std::sync::Arc;

use super::{Handle, Shape};
use crate::deadline::Freshness;
use crate::engine::{Engine, Warm};
use crate::key::Key;
use crate::policy::Policy;
use crate::reply::Reply;
use crate::runtime::started;
use crate::target::Strength;
use crate::value::Cacheable;

/// Invalidates a key, with a reply that does not borrow the cache.
pub fn invalidate(cache: impl Handle, key: Key) -> Reply<'static, ()> {
    cache.with(|cache| strike(cache, &key, Strength::Remove))
}

/// Marks a key stale, with a reply that does not borrow the cache.
pub fn mark_stale(cache: impl Handle, key: Key) -> Reply<'static, ()> {
    cache.with(|cache| strike(cache, &key, Strength::MarkStale))
}

fn strike(cache: &Engine, key: &str, strength: Strength) -> Reply<'static, ()> {
    let (its, key) = (cache.clone(), Box::<str>::from(key));
    let struck = started(async move {
        match strength {
            Strength::Remove => its.invalidate(&*key).await,
            Strength::MarkStale => its.mark_stale(&*key).await,
        }
    });
    cache.acknowledgeable(struck)
}

impl<T: Cacheable, O, R: 'static> Shape<T, O, R> {
    /// What the function would return at once, from a fresh value of its version.
    pub fn peek(self, cache: impl Handle, key: Key, version: u32) -> Reply<'static, Option<R>> {
        let (cache, key, join) = (cache.engine(), key, self.join);
        started(async move {
            let entry = cache.backend().get(&key, T::kind()).await?;
            let usable = entry
                .filter(|entry| entry.freshness() == Freshness::Fresh && entry.origin.version == version);
            Ok(usable.and_then(|entry| entry.value.downcast::<T>().ok()).map(join))
        })
    }

    /// Stores what a run of the function gave, as if it had been called; what it would not cache is not stored.
    pub fn prime(
        self,
        cache: impl Handle,
        key: Key,
        policy: impl Into<Policy>,
        output: O,
    ) -> Reply<'static, ()> {
        let Ok(loaded) = (self.split)(output) else { return Reply::ready(()) };
        let (cache, key, policy) = (cache.engine(), key, policy.into());
        let primed = {
            let cache = cache.clone();
            started(async move { cache.prime(&key, loaded, policy).await })
        };
        cache.acknowledgeable(primed)
    }

    /// Calls the function with many arguments, some at a time.
    pub fn warm<'p, I, L>(
        self,
        items: I,
        concurrency: usize,
        mut call: impl FnMut(I::Item) -> L,
    ) -> Warm<'p, impl Iterator<Item = impl Future<Output = Result<(), ()>>>>
    where
        I: IntoIterator,
        L: Future<Output = R>,
    {
        let failed = self.failed;
        let loads = items.into_iter().map(move |item| {
            let load = call(item);
            async move { if failed(&load.await) { Err(()) } else { Ok(()) } }
        });
        Warm::new(loads, concurrency)
    }
}

/// What can be given to `prime` as a value of a function that returns `R`: that itself, or the value in it.
#[diagnostic::on_unimplemented(
    message = "the function returns `{R}`, which `{Self}` is not, nor the value in it",
    label = "not what the function returns"
)]
pub trait Returns<R> {
    /// What the function would have returned.
    fn returned(self) -> R;
}

macro_rules! returns {
    ($($($param:ident),+: $value:ty => $returned:ty = |$name:ident| $wrapped:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($param),+> Returns<$returned> for $value {
            fn returned(self) -> $returned {
                let $name = self;
                $wrapped
            }
        }
    )*};
}

// No two of them fit one pair of types: one would have to hold itself.
returns! {
    R: R => R = |value| value;
    T: T => Arc<T> = |value| Arc::new(value);
    T: T => Option<T> = |value| Some(value);
    T: T => Option<Arc<T>> = |value| Some(Arc::new(value));
    T, E: T => Result<T, E> = |value| Ok(value);
    T, E: T => Result<Arc<T>, E> = |value| Ok(Arc::new(value));
    T, E: T => Result<Option<T>, E> = |value| Ok(Some(value));
    T, E: T => Result<Option<Arc<T>>, E> = |value| Ok(Some(Arc::new(value)));
}
