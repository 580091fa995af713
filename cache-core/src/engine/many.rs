//! Many keys in one call.

use std::sync::Arc;

use super::Engine;
use crate::error::Result;
use crate::policy::Policy;
use crate::reply::Reply;
use crate::value::Cacheable;

impl Engine {
    /// The fresh values of `keys`, in their order; `None` where there is none. Loads nothing: see
    /// [`load_many`](Engine::load_many).
    ///
    /// ```
    /// # use larder::{testing::Plain, Engine, ttl};
    /// # let cache = Engine::new(Plain::default());
    /// cache.set_many([("user:1", "Ada".to_owned()), ("user:2", "Bob".to_owned())], ttl::SHORT).wait()?;
    /// let users = cache.get_many::<String, _>(["user:2", "user:7"]).wait()?;
    /// assert_eq!(users[0].as_deref().map(String::as_str), Some("Bob"));
    /// assert!(users[1].is_none());
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # Errors
    /// As of [`get`](Engine::get), of the first key that fails.
    pub fn get_many<T: Cacheable, K: AsRef<str>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> Reply<'_, Vec<Option<Arc<T>>>> {
        all(keys.into_iter().map(|key| self.get(key)))
    }

    /// Stores each of `entries` under the same policy.
    ///
    /// # Errors
    /// As of [`set`](Engine::set), of the first entry that fails; the others are stored.
    pub fn set_many<T: Cacheable, K: AsRef<str>>(
        &self,
        entries: impl IntoIterator<Item = (K, T)>,
        policy: impl Into<Policy>,
    ) -> Reply<'_, ()> {
        let policy = policy.into();
        let stored = all(entries.into_iter().map(|(key, value)| self.set(key, value, &policy)));
        self.acknowledgeable(stored.map(drop))
    }

    /// Removes the entries of `keys`; how many there were, fresh or stale.
    ///
    /// # Errors
    /// As of [`delete`](Engine::delete), of the first key that fails; the others are deleted.
    pub fn delete_many<K: AsRef<str>>(&self, keys: impl IntoIterator<Item = K>) -> Reply<'_, usize> {
        let went = all(keys.into_iter().map(|key| self.delete(key)));
        self.acknowledgeable(went.map(|went| went.into_iter().filter(|went| *went).count()))
    }
}

/// The answers of operations that are all under way, in order; the first error, if there is one.
fn all<'a, T: Send + 'a>(replies: impl Iterator<Item = Reply<'a, T>>) -> Reply<'a, Vec<T>> {
    each(replies.collect()).and_then(|answers| answers.into_iter().collect())
}

/// The answers of operations that are all under way, in order. Each is awaited, also after one that failed.
pub(crate) fn each<'a, T: Send + 'a>(replies: Vec<Reply<'a, T>>) -> Reply<'a, Vec<Result<T>>> {
    let replies: Vec<_> = replies.into_iter().map(Reply::answer).collect();
    if replies.iter().all(|reply| matches!(reply, Reply::Ready(_))) {
        return Reply::ready(replies.into_iter().map(Reply::wait).collect());
    }
    Reply::Pending(Box::pin(async move {
        let mut answers = Vec::with_capacity(replies.len());
        for reply in replies {
            answers.push(reply.await);
        }
        Ok(answers)
    }))
}
