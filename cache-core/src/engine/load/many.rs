//! One batched load of many keys, each of them a flight of its own.

use std::collections::HashSet;
use std::future::Future;
use std::mem;
use std::pin::pin;
use std::sync::Arc;

use super::batch::{Batch, Values};
use super::round::Call;
use crate::engine::{Engine, LoadPolicy};
use crate::flight::Piloted;
use crate::timeout::Timeout;
use crate::value::Cacheable;

impl Engine {
    /// The values of `keys`, in their order; those that are missing are loaded by one call of `loader`, which is given
    /// their keys and returns what it finds, by key. A key that it does not return is `None` for this caller, and not
    /// cached. One that it returns unasked is dropped, and counted in [`Stats::errors`](crate::Stats::errors).
    ///
    /// Each key is a flight: other callers share it, and keys that others are loading already are waited for and not
    /// given to `loader`. It is called again only for those whose other load came to nothing, and apart for those
    /// that are stale and refreshed in the background.
    ///
    /// ```
    /// # use larder::{testing::Plain, Engine, ttl};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let cache = Engine::new(Plain::default());
    /// let keys = ["user:1", "user:2", "user:7"];
    /// let users = cache.load_many(keys, ttl::SHORT, async |missing: Vec<&str>| {
    ///     let rows = missing.into_iter().filter(|key| *key != "user:7"); // one query stands here
    ///     Ok::<_, std::io::Error>(rows.map(|key| (key, format!("row of {key}"))).collect::<Vec<_>>())
    /// });
    /// let users = users.await?;
    /// assert_eq!(users[1].as_deref().map(String::as_str), Some("row of user:2"));
    /// assert!(users[2].is_none());
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// The loader's own, unless stale values may stand in for all that is missing. What was found is then given up.
    ///
    /// # Cancellation
    /// Dropping the future gives up its loads; those who wait for one of its keys load that themselves.
    pub async fn load_many<T, E, K, F, M, P, L>(
        &self,
        keys: impl IntoIterator<Item = K>,
        policy: P,
        loader: impl FnMut(Vec<K>) -> L,
    ) -> Result<Vec<Option<Arc<T>>>, E>
    where
        T: Cacheable,
        E: 'static,
        K: AsRef<str> + Clone,
        F: AsRef<str> + 'static,
        M: IntoIterator<Item = (F, T)> + 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<M, E>>,
    {
        self.load_each::<T, T, E, K, F, M, P, L>(keys.into_iter().collect(), policy, loader, false).await
    }

    /// The same for values that may be shared already, and for callers that hold their thread.
    pub(crate) async fn load_each<T, V, E, K, F, M, P, L>(
        &self,
        keys: Vec<K>,
        policy: P,
        mut loader: impl FnMut(Vec<K>) -> L,
        blocking: bool,
    ) -> Result<Vec<Option<Arc<T>>>, E>
    where
        T: Cacheable,
        V: Into<Arc<T>>,
        E: 'static,
        K: AsRef<str> + Clone,
        F: AsRef<str> + 'static,
        M: IntoIterator<Item = (F, V)> + 'static,
        P: LoadPolicy<L>,
        L: Future<Output = Result<M, E>>,
    {
        let policy = policy.into_policy();
        let mut wanted = names(&keys);
        let mut values = Values::new();
        if self.shared.disabled {
            let all = Batch { keys: mem::take(&mut wanted), ..Batch::new(blocking) };
            values = all.load(self, &policy, loader(keys.clone()), P::timed_out).await?;
        }
        let patient = policy.clone().unlimited();
        let deadline = policy.hard_limit().map(|limit| self.shared.clock.now() + limit);
        let call = Call { engine: self, policy: &policy, patient: &patient, blocking, deadline };
        let timed_out = |key: &str| {
            P::timed_out(Timeout::new(key, policy.hard_limit().unwrap_or_default())).and_then(Result::err)
        };
        // Each round ends the call of somebody who loads a key that others wait for, so there is a last one.
        let mut retrying = false;
        while !wanted.is_empty() {
            let found = call.find::<T, E>(&wanted, retrying).await;
            values.extend(found.values);
            if !found.missing.keys.is_empty() {
                let loader = loader(of(&keys, &found.missing));
                let load = pin!(call.load::<T, V, E, F, M, P, L>(found.missing, &found.stale, loader));
                // Those that are refreshed after it are not given up meanwhile.
                values.extend(Piloted::new(&found.refresh.leads, load).await?);
            }
            match self.shared.background.place() {
                Some(place) if !found.refresh.keys.is_empty() => {
                    let loader = loader(of(&keys, &found.refresh));
                    found.refresh.load_behind::<T, V, E, F, M, P, L>(self, &policy, loader, place).await;
                }
                // Its flights are not held meanwhile.
                _ => drop(found.refresh),
            }
            let followed = call.follow::<T, E>(found.follows, timed_out).await?;
            values.extend(followed.values);
            wanted = followed.again;
            retrying |= followed.beside;
        }
        Ok(keys.iter().map(|key| values.get(key.as_ref()).cloned()).collect())
    }
}

/// The names of `keys`, each once.
fn names<K: AsRef<str>>(keys: &[K]) -> Vec<Box<str>> {
    let mut names: Vec<Box<str>> = keys.iter().map(|key| key.as_ref().into()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Those of `keys` that are in `batch`, each once, as their caller wrote them.
fn of<K: AsRef<str> + Clone>(keys: &[K], batch: &Batch) -> Vec<K> {
    let mut wanted: HashSet<&str> = batch.keys.iter().map(|key| &**key).collect();
    keys.iter().filter(|key| wanted.remove(key.as_ref())).cloned().collect()
}
