//! Changes of a cache that wait for the commit of a transaction.

mod buffer;
mod change;
mod scope;
mod update;
mod writer;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use super::Engine;
use crate::error::{Error, Result};
use crate::reply::Reply;
use crate::target::Target;

use buffer::Buffer;
use change::{Change, deliver};
pub(in crate::engine) use scope::repeat_at_commit;
use scope::{Scope, Scoped};
pub(super) use update::Updates;
pub use writer::Writer;

/// Begins to hold back what writers change in the cache, until the transaction that they are part of has committed.
///
/// Functions with `#[invalidates]` or `#[updates]` that are called in the [`scope`](Commit::scope) of the [`Commit`]
/// change nothing yet. [`committed`](Commit::committed) then makes the changes, all and in their order. Dropping the
/// `Commit`, as an early return, an error or a panic does, forgets them: the transaction was rolled back.
///
/// Without that, a reader between the invalidation and the commit would load the old row again, and it would stay.
///
/// ```
/// # use larder::{Larder, key, ttl};
/// let cache = Larder::memory(100);
/// cache.set("user:7", "Ada".to_owned(), ttl::LONG).wait()?;
///
/// let changes = larder::after_commit(); // begin the transaction of the database here
/// changes.scope(|| {
///     // write rows, by functions with `#[invalidates]`; what has none can be said by hand:
///     changes.invalidate(&cache, &key!("user:{}", 7))
/// })?;
/// assert!(cache.exists("user:7").wait()?); // for others, nothing has changed yet
/// // commit the transaction here
/// changes.committed().wait()?;
/// assert!(!cache.exists("user:7").wait()?);
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # What holds
///
/// - When `committed` has answered, no read that starts later is given what was stored, or began to be loaded, before
///   (G1), by any of the changes. Tell your caller that the write is done after that.
/// - Between the commit in the database and `committed`, readers may still be given the old values. A load that began
///   before `committed` is not stored after it, whatever it read.
/// - Inside the transaction, a cached read still gives what was there before it, and a load that reads *through* the
///   transaction may store what is never committed: read what you have written from the transaction, not from the cache.
/// - An invalidation called explicitly inside a scope (`cache.invalidate(..)`, `delete`, `mark_stale`, `user::invalidate`)
///   is made at once, as it promises, and once more by `committed`. Other operations on a cache take no notice of scopes.
/// - If the process dies between the commit and `committed`, nobody is told: values shared with other processes then
///   stay until their TTL ends.
///
/// # Nesting
///
/// A scope inside a scope takes the changes of what runs in it. For the savepoint of a transaction make the inner one by
/// [`savepoint`](Commit::savepoint): what it commits waits for the outer one. One made by `after_commit` is a transaction
/// of its own; as nobody knows that it does not end with the outer one, what is `committed` while the outer scope is
/// entered is invalidated at once, and once more with the outer one.
pub fn after_commit() -> Commit {
    Commit { buffer: Arc::new(Buffer::new()), outer: None, released: OnceLock::new() }
}

/// The changes that wait for a commit: see [`after_commit`].
#[must_use = "without `committed()`, what was changed is never invalidated"]
pub struct Commit {
    buffer: Arc<Buffer>,
    /// Of a savepoint: where its changes go.
    outer: Option<Arc<Buffer>>,
    released: OnceLock<Vec<Change>>,
}

impl Commit {
    /// Runs `run` as part of the transaction, on this thread.
    pub fn scope<R>(&self, run: impl FnOnce() -> R) -> R {
        let _scope = Scope::enter(&self.buffer);
        run()
    }

    /// Runs `future` as part of the transaction, on whatever thread it is polled. Tasks it spawns are outside.
    ///
    /// # Cancellation
    /// Dropping the future drops no changes: drop the `Commit` for that.
    pub async fn scope_async<F: Future>(&self, future: F) -> F::Output {
        Scoped { buffer: &self.buffer, future: pin!(future) }.await
    }

    /// Holds an invalidation back, by hand. A `&str` is a key.
    ///
    /// After [`committed`](Commit::committed), when nothing waits any more, it is made at once.
    ///
    /// # Errors
    /// `InvalidKey`, `InvalidPattern`, `InvalidTag`: it is not held back then.
    pub fn invalidate<'t>(&self, cache: &Engine, target: impl Into<Target<'t>>) -> Result<()> {
        let target = target.into();
        target.check()?;
        if let Err(late) = self.buffer.keep(Change::forget(cache, target)) {
            make_now(self.buffer.group, &[late]);
        }
        Ok(())
    }

    /// The changes of a savepoint of this transaction. When it is `committed`, they wait for this one; when it is dropped
    /// without, they are forgotten.
    pub fn savepoint(&self) -> Self {
        Self {
            buffer: Arc::new(Buffer::of_group(self.buffer.group)),
            outer: Some(self.buffer.clone()),
            released: OnceLock::new(),
        }
    }

    /// The transaction has committed: makes its changes, in their order. Call it after the commit in the database, and
    /// before anybody is told that the write is done. All are under way when it returns; called again, it does nothing.
    ///
    /// # Errors
    /// Of the first change that could not be delivered; the message says how many could not, and which cannot be made at
    /// all. Every other change is made all the same.
    ///
    /// # Cancellation
    /// Dropping the reply undoes nothing.
    pub fn committed(&self) -> Reply<'_, ()> {
        let Some(mut changes) = self.buffer.close() else { return Reply::ready(()) };
        if let Some(outer) = &self.outer {
            changes = changes.into_iter().filter_map(|change| outer.keep(change).err()).collect();
        }
        let changes = self.released.get_or_init(|| changes);
        let made = deliver(self.buffer.group, changes).and_then(|answers| summed_up(&answers));
        changed_in_all(changes, made)
    }

    /// The transaction was rolled back: nothing changes. The same as dropping it.
    pub fn rolled_back(self) {}

    /// How many changes wait.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        // Who still writes in its scope finds it closed.
        drop(self.buffer.close());
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commit").field("changes", &self.len()).finish_non_exhaustive()
    }
}

/// Makes changes for which nobody waits; what cannot be delivered is counted and told of.
fn make_now(group: u64, changes: &[Change]) {
    if let Reply::Ready(Ok(answers)) = deliver(group, changes) {
        for (change, answer) in changes.iter().zip(answers) {
            if let Err(error) = answer {
                change.engine().note(&error);
            }
        }
    }
}

/// The reply of changes, whose [`acked`](Reply::acked) waits for those who share any of the stores.
fn changed_in_all<'a>(changes: &[Change], reply: Reply<'a, ()>) -> Reply<'a, ()> {
    let mut engines: Vec<&Engine> = Vec::new();
    for engine in changes.iter().map(Change::engine) {
        if !engines.iter().any(|other| Arc::ptr_eq(&other.cache, &engine.cache)) {
            engines.push(engine);
        }
    }
    engines.into_iter().fold(reply, |reply, engine| engine.acknowledgeable(reply))
}

fn summed_up(answers: &[Result<()>]) -> Result<()> {
    let failed: Vec<&Error> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
    let Some(first) = failed.first() else { return Ok(()) };
    let message = format!(
        "after the commit, {} of {} changes of the cache failed: {first}",
        failed.len(),
        answers.len()
    );
    Err(Error::new(first.kind(), message))
}
