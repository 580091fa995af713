//! The load family as users call it.

use std::convert::{Infallible, identity};
use std::future::Future;
use std::sync::Arc;

use super::{Load, Loaded, Share, Terms, Told, Untold};
use crate::engine::{Compute, Engine, LoadPolicy, Uninterrupted};
use crate::value::Cacheable;

fn infallible<T>(value: T) -> Result<Loaded<T>, Infallible> {
    Ok(Loaded::new(value))
}

fn fallible<T, E>(result: Result<T, E>) -> Result<Loaded<T>, E> {
    result.map(Loaded::new)
}

fn always<T>(result: Result<Arc<T>, Infallible>) -> Arc<T> {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

impl Engine {
    /// The value of `key`, loaded by `loader` if there is none; callers who want it meanwhile share that load.
    ///
    /// Trouble of the cache never fails a load: it is counted, and the loader's value is returned. Under a bare
    /// [`Duration`](std::time::Duration) or [`Policy::in_caller`](crate::Policy::in_caller) the loader may borrow;
    /// under a full [`Policy`](crate::Policy) its future is `Send + 'static`, as it may refresh in the background.
    ///
    /// A counter (an `i64`) that is to have tags or stale windows is not stored, as [`set`](Engine::set) refuses it: it
    /// is loaded each time, and counted in [`Stats::errors`](crate::Stats::errors). Cache another type.
    ///
    /// # Borrowing loaders
    /// "Lifetime may not live long enough", "must outlive `'static`" and "closure may outlive the current function" say
    /// that the loader borrows under a full policy. Move owned values into it, or call `.in_caller()` on the policy:
    ///
    /// ```
    /// # use larder::{testing::Plain, Engine, Policy, ttl};
    /// async fn length(cache: &Engine, name: &str) -> usize {
    ///     let policy = Policy::ttl(ttl::SHORT).tags(["names"]);
    ///     *cache.get_or_load("length", policy.in_caller(), || async { name.len() }).await
    /// }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # assert_eq!(length(&Engine::new(Plain::default()), "Ada").await, 3);
    /// # });
    /// ```
    ///
    /// # Cancellation
    /// Dropping the future of the caller who loads gives up the load; one of those who waited then loads.
    ///
    /// ```
    /// # use larder::{testing::Plain, Engine};
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let cache = Engine::new(Plain::default());
    /// let answer = cache.get_or_load("answer", Duration::from_secs(60), || async { 42 }).await;
    /// assert_eq!(*answer, 42);
    /// # });
    /// ```
    pub async fn get_or_load<T, P, L>(
        &self,
        key: impl AsRef<str>,
        policy: P,
        loader: impl FnOnce() -> L,
    ) -> Arc<T>
    where
        T: Cacheable,
        P: LoadPolicy<L>,
        L: Future<Output = T>,
    {
        let terms = Terms::new(infallible, policy.takes_any());
        always(self.load(key.as_ref(), terms, || (policy, Untold(loader))).await)
    }

    /// [`get_or_load`](Engine::get_or_load) with a loader that can fail. Errors are not cached.
    ///
    /// # Errors
    /// The loader's own, unless a stale value may stand in for it (stale-if-error). Those who shared a load that
    /// failed try it again, eight at a time and never all at once; where `E` is `Clone`, let them have the error
    /// itself through [`try_get_or_load_shared`](Engine::try_get_or_load_shared).
    ///
    /// # Cancellation
    /// As of [`get_or_load`](Engine::get_or_load).
    pub async fn try_get_or_load<T, E, P, L>(
        &self,
        key: impl AsRef<str>,
        policy: P,
        loader: impl FnOnce() -> L,
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        E: 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<T, E>>,
    {
        let terms = Terms::new(fallible, policy.takes_any());
        self.load(key.as_ref(), terms, || (policy, Untold(loader))).await
    }

    /// [`try_get_or_load`](Engine::try_get_or_load), where those who shared a load that failed get its error.
    ///
    /// # Errors
    /// The loader's own, or a clone of it.
    pub async fn try_get_or_load_shared<T, E, P, L>(
        &self,
        key: impl AsRef<str>,
        policy: P,
        loader: impl FnOnce() -> L,
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        E: Clone + Send + Sync + 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<T, E>>,
    {
        let terms = Terms { share: Some(Share::by_clone()), ..Terms::new(fallible, policy.takes_any()) };
        self.load(key.as_ref(), terms, || (policy, Untold(loader))).await
    }

    /// A load whose loader has more to say: it is told what is there already, and answers with a [`Loaded`], whose
    /// TTL and tags it may choose; `Loaded::skip` is not stored, [`Previous::not_modified`](crate::Previous) is what
    /// was there. It fails with `Err`.
    ///
    /// ```
    /// # use larder::{testing::Plain, Engine, Loaded, Policy, ttl};
    /// # use std::{io, time::Duration};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let cache = Engine::new(Plain::default());
    /// # async fn fetch(_: Option<String>) -> Result<Option<(String, u64)>, io::Error> { Ok(Some(("news".into(), 5))) }
    /// let policy = Policy::ttl(ttl::SHORT).sie(ttl::DAY);
    /// let feed = cache.load_with::<String, io::Error, _, _>("feed", policy, async move |load| {
    ///     match (fetch(load.stale().map(|feed| feed.to_string())).await?, load.stale()) {
    ///         (None, Some(feed)) => Ok(feed.not_modified()),
    ///         (None, None) => Ok(Loaded::skip(String::new())),
    ///         (Some((feed, seconds)), _) => Ok(Loaded::new(feed).ttl(Duration::from_secs(seconds)).tags(["feeds"])),
    ///     }
    /// });
    /// let feed = feed.await?;
    /// # assert_eq!(*feed, "news");
    /// # Ok::<(), io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The loader's own, as of [`try_get_or_load`](Engine::try_get_or_load).
    ///
    /// # Cancellation
    /// As of [`get_or_load`](Engine::get_or_load).
    pub async fn load_with<T, E, P, L>(
        &self,
        key: impl AsRef<str>,
        policy: P,
        loader: impl FnOnce(Load<T>) -> L,
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        E: 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<Loaded<T>, E>>,
    {
        let terms = Terms::new(identity, policy.takes_any());
        self.load(key.as_ref(), terms, || (policy, Told(loader))).await
    }

    /// [`get_or_load`](Engine::get_or_load) for synchronous code: needs no runtime, and holds its thread while
    /// it waits for another caller's load.
    ///
    /// It never waits for an asynchronous load that needs its thread: then it computes for itself.
    ///
    /// ```
    /// # use larder::{testing::Plain, Engine};
    /// # use std::time::Duration;
    /// # let cache = Engine::new(Plain::default());
    /// let answer = cache.get_or_compute("answer", Duration::from_secs(60), || 42);
    /// assert_eq!(*answer, 42);
    /// ```
    pub fn get_or_compute<T, P, F>(&self, key: impl AsRef<str>, policy: P, compute: F) -> Arc<T>
    where
        T: Cacheable,
        P: LoadPolicy<Compute<F>> + Uninterrupted,
        F: FnOnce() -> T,
    {
        let terms = Terms::new(infallible, policy.takes_any());
        always(self.load_here(key.as_ref(), terms, || (policy, compute)))
    }

    /// [`get_or_compute`](Engine::get_or_compute) with a closure that can fail. Errors are not cached.
    ///
    /// # Errors
    /// As of [`try_get_or_load`](Engine::try_get_or_load).
    pub fn try_get_or_compute<T, E, P, F>(
        &self,
        key: impl AsRef<str>,
        policy: P,
        compute: F,
    ) -> Result<Arc<T>, E>
    where
        T: Cacheable,
        E: 'static,
        P: LoadPolicy<Compute<F>> + Uninterrupted,
        F: FnOnce() -> Result<T, E>,
    {
        let terms = Terms::new(fallible, policy.takes_any());
        self.load_here(key.as_ref(), terms, || (policy, compute))
    }
}
