//! The answer of every operation: ready at once, or pending on remote I/O.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::cache::Cache;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime;

/// A boxed, sendable future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What every operation returns: an answer that is there already, or one that remote I/O still owes.
///
/// Await it, or call [`wait`](Reply::wait) from synchronous code. A memory backend answers `Ready` without
/// allocating; so does a tiered one on a hit in process. An operation that writes is under way from the
/// moment it is called: dropping its reply gives up the answer, not the operation.
///
/// ```
/// use larder::Reply;
/// assert_eq!(Reply::ready(7).wait().unwrap(), 7);
/// ```
#[must_use = "await it, or call `.wait()`: an error would go unseen"]
pub enum Reply<'a, T> {
    /// The answer.
    Ready(Result<T>),
    /// The answer will come.
    Pending(BoxFuture<'a, Result<T>>),
    /// That of a change in a store that several processes share; boxed, as a hit is a reply, too.
    #[doc(hidden)]
    Changed(Box<Changed<'a, T>>),
    /// Polled to its end; the answer has been given away.
    #[doc(hidden)]
    Taken,
}

/// The answer of a change, and the store that knows who has heard of it.
#[doc(hidden)]
pub struct Changed<'a, T> {
    answer: Reply<'a, T>,
    store: Arc<dyn Cache>,
}

impl<'a, T> Reply<'a, T> {
    /// A reply that succeeds at once.
    #[inline]
    pub fn ready(value: T) -> Self {
        Self::Ready(Ok(value))
    }

    /// A reply that fails at once.
    pub fn error(error: Error) -> Self {
        Self::Ready(Err(error))
    }

    /// The answer, for synchronous callers: at once if it is there, else the thread is parked for it.
    ///
    /// Works outside any async runtime and inside one; remote I/O never needs the thread that waits.
    ///
    /// # Errors
    /// Those of the operation.
    #[inline]
    pub fn wait(self) -> Result<T> {
        match self {
            Self::Ready(result) => result,
            Self::Pending(future) => runtime::block_on(future),
            Self::Changed(changed) => changed.answer.wait(),
            Self::Taken => Err(polled_again()),
        }
    }

    /// The answer, once every live node has handled the change: no read that starts on any of them after that is given what
    /// was there before.
    ///
    /// A *node* is a cache over the store that has memory in front of it, in whichever process. It holds a lease, for as
    /// long as it may serve what it has in memory without being told anything: with Redis, `cut_off_ttl` and three seconds.
    /// So a node that has died, or is cut off, delays this by its lease at most, and serves nothing after that which it had
    /// before; but what it loads itself while it is cut off, it may serve for `cut_off_ttl`. What exactly holds, and what does
    /// not, is in `docs/coherence.md`.
    ///
    /// Of a cache that no other process shares, the change is handled when it is answered. It is awaited from when this is
    /// awaited, and costs some round trips in the store and one in each node.
    ///
    /// ```
    /// # let cache = larder::Larder::memory(100);
    /// cache.set("user:42", 7_u32, larder::ttl::SHORT).wait()?;
    /// // .. the user is changed in the database, and then
    /// cache.invalidate("user:42").acked().wait()?;
    /// # Ok::<(), larder::Error>(())
    /// ```
    ///
    /// # How long it takes
    /// With Redis some milliseconds while every node answers. A node that does not is waited for until its lease is over: that
    /// goes by the `cut_off_ttl` of *that* node, with three seconds, so 8 s by default, and an hour where one process of the
    /// fleet has a `cut_off_ttl` of an hour. A node that keeps its lease and does not handle the change is given three seconds
    /// more; then this is a `Timeout`. `health()` does not say who is waited for.
    ///
    /// So give all processes the same `cut_off_ttl`, and not a long one; and where somebody waits for the answer, put a limit
    /// of your own around it:
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// # let cache = larder::Larder::memory(100);
    /// use std::time::Duration;
    ///
    /// let told = tokio::time::timeout(Duration::from_secs(2), cache.invalidate("rights:42").acked()).await;
    /// if told.is_err() {
    ///     // The change is made; whether every node has handled it is not known yet.
    /// }
    /// # });
    /// ```
    ///
    /// # Errors
    /// Those of the operation: what is only queued ([`ErrorKind::Queued`]) nobody else has handled. `Unavailable`: the change
    /// is made, and who has handled it is not known, as the store cannot be asked. `Timeout`: the change is made, and a node
    /// that keeps its lease has not handled it.
    ///
    /// # Cancellation
    /// Dropping the reply gives up the waiting, not the change.
    pub fn acked(self) -> Reply<'a, T>
    where
        T: Send + 'a,
    {
        match self {
            Self::Changed(changed) => Reply::Pending(Box::pin(async move {
                let Changed { answer, store } = *changed;
                // A change in several stores is of one within the other.
                let answer = answer.acked().await?;
                store.acknowledged().await?;
                Ok(answer)
            })),
            reply => reply,
        }
    }

    /// The reply of a change in `store`; what has failed is changed nowhere.
    pub(crate) fn changed_in(self, store: &Arc<dyn Cache>) -> Self {
        match self {
            Self::Ready(Ok(_)) | Self::Pending(_) | Self::Changed(_) => {
                Self::Changed(Box::new(Changed { answer: self, store: store.clone() }))
            }
            reply => reply,
        }
    }

    /// The answer alone.
    pub(crate) fn answer(self) -> Self {
        match self {
            Self::Changed(changed) => changed.answer.answer(),
            reply => reply,
        }
    }

    /// The reply with its success run through `f`, at once where it is ready.
    #[inline]
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Result<U> + Send + 'a) -> Reply<'a, U>
    where
        T: 'a,
    {
        match self {
            Self::Ready(result) => Reply::Ready(result.and_then(f)),
            Self::Pending(future) => Reply::Pending(Box::pin(async move { f(future.await?) })),
            Self::Changed(changed) => changed.answer.and_then(f).changed_in(&changed.store),
            Self::Taken => Reply::Taken,
        }
    }

    /// The reply with its answer, good or bad, run through `f`, at once where it is ready.
    pub(crate) fn then<U>(self, f: impl FnOnce(Result<T>) -> Result<U> + Send + 'a) -> Reply<'a, U>
    where
        T: 'a,
    {
        match self {
            Self::Ready(result) => Reply::Ready(f(result)),
            Self::Pending(future) => Reply::Pending(Box::pin(async move { f(future.await) })),
            Self::Changed(changed) => changed.answer.then(f).changed_in(&changed.store),
            Self::Taken => Reply::Taken,
        }
    }

    /// The reply with its success mapped through `f`, at once where it is ready.
    #[inline]
    pub fn map<U>(self, f: impl FnOnce(T) -> U + Send + 'a) -> Reply<'a, U>
    where
        T: 'a,
    {
        self.and_then(|value| Ok(f(value)))
    }
}

/// Nothing in a reply is pinned in place: its future is boxed.
impl<T> Unpin for Reply<'_, T> {}

impl<T> Future for Reply<'_, T> {
    type Output = Result<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        if let Self::Pending(future) = &mut *self {
            return future.as_mut().poll(cx);
        }
        if let Self::Changed(changed) = &mut *self {
            return Pin::new(&mut changed.answer).poll(cx);
        }
        match mem::replace(&mut *self, Self::Taken) {
            Self::Ready(result) => Poll::Ready(result),
            _ => Poll::Ready(Err(polled_again())),
        }
    }
}

impl<T> fmt::Debug for Reply<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready(Ok(_)) => "Reply::Ready(Ok)",
            Self::Ready(Err(_)) => "Reply::Ready(Err)",
            Self::Pending(_) => "Reply::Pending",
            Self::Changed(_) => "Reply::Changed",
            Self::Taken => "Reply::Taken",
        })
    }
}

#[cold]
fn polled_again() -> Error {
    Error::new(ErrorKind::PolledAgain, "a Reply was polled after it had answered: await it once")
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;

    use super::*;
    use crate::nothing::Nothing;

    #[test]
    fn a_reply_is_no_wider_for_what_few_ask() {
        enum Before<'a, T> {
            _Ready(Result<T>),
            _Pending(BoxFuture<'a, Result<T>>),
            _Taken,
        }
        assert_eq!(size_of::<Reply<'_, Option<Arc<u8>>>>(), size_of::<Before<'_, Option<Arc<u8>>>>());
        assert_eq!(size_of::<Reply<'_, ()>>(), size_of::<Before<'_, ()>>());
        assert_eq!(size_of::<Reply<'_, bool>>(), size_of::<Before<'_, bool>>());
    }

    #[test]
    fn a_change_answers_as_it_would_and_what_failed_is_no_change() {
        let store: Arc<dyn Cache> = Arc::new(Nothing);
        let changed = || Reply::ready(7).changed_in(&store);
        assert_eq!(changed().wait().expect("an answer"), 7);
        assert_eq!(runtime::block_on(changed()).expect("an answer"), 7);
        assert_eq!(changed().acked().wait().expect("an answer"), 7);
        let mapped = changed().map(|seven| seven + 1);
        assert!(matches!(mapped, Reply::Changed(_)));
        assert_eq!(mapped.acked().wait().expect("an answer"), 8);
        let failed: Reply<'_, u8> = Reply::error(Error::new(ErrorKind::Queued, "later"));
        assert!(matches!(failed.changed_in(&store), Reply::Ready(Err(_))));
    }
}
