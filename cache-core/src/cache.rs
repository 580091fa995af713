//! The contract of a backend.

use std::sync::Weak;
use std::time::Duration;

use crate::connection::Connection;
use crate::deadline::Lifetime;
use crate::entry::{Entry, Set, Stored, Usage};
use crate::fence::Fence;
use crate::lease::{Ended, Lease};
use crate::listener::{Listener, Notices};
use crate::reply::Reply;
use crate::target::{Strength, Target};
use crate::token::Token;
use crate::value::{Kind, Value};

/// A backend, or a wrapper around one. Small and object-safe: one method per operation.
///
/// # Contract
/// - Keys, patterns and tags arrive checked (1 to 1024 bytes, no control characters). Compare them byte for byte.
/// - An operation is under way when its method returns; dropping its [`Reply`] does not undo it. A `Reply`
///   borrows the backend, never the key.
/// - What has expired is never handed out. Fresh until `lifetime.fresh`, stale until `lifetime.total`, in
///   milliseconds, by a clock that never goes back.
/// - *Fencing.* Once a `set`, `delete`, `invalidate` or `incr` has answered, no read that starts later
///   returns what was stored before it, and no fence taken before it lets a value be stored that it covers.
///   A fence covers every tag that the value is stored with, also those named only then.
///   After [`Strength::MarkStale`] a fenced value may be stored, but only as stale. `expire` never brings back
///   what is stale or gone. A fence publishes once, and never over what a later fence has published.
/// - `incr` is exact under concurrency, and `if_absent` stores for one caller alone.
///
/// The feature `testing` has `testing::conformance`, which checks these sentences over any `&dyn Cache`.
///
/// # Wrappers
/// Forward every method, the provided ones too: `#[deny(clippy::missing_trait_methods)]` on the impl helps, and
/// `testing::conformance::run_wrapper` looks whether all of them arrive.
pub trait Cache: Send + Sync + 'static {
    /// A fresh value, if it can be had without waiting: the hit path of every read. `None` says nothing; the
    /// caller then asks [`get`](Cache::get). Must not allocate.
    fn fresh(&self, key: &str) -> Option<Value> {
        let _ = key;
        None
    }

    /// The entry, fresh or stale. A backend that holds bytes decodes them by `kind`; one that holds values
    /// hands out what it has, also of another kind.
    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>>;

    /// The entry as the store behind all others has it: what a load reads to publish it again. Where one store is all
    /// there is, that is [`get`](Cache::get).
    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.get(key, kind)
    }

    /// What is left of the deadlines of an entry, fresh or stale.
    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>>;

    /// Stores a value.
    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored>;

    /// Removes an entry; true if there was one, fresh or stale.
    fn delete(&self, key: &str) -> Reply<'_, bool>;

    /// Removes, or marks stale, all that `target` covers. Not finding anything is no error.
    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()>;

    /// Gives a fresh entry a new TTL from now on, its stale window after it kept; false where nothing is fresh.
    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool>;

    /// Adds to a fresh counter, which keeps its deadlines and its age; where there is none, or a stale one, it begins at
    /// zero with `lifetime`.
    ///
    /// # Errors
    /// `NotAnInteger`, `Overflow`; the value is then as it was.
    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64>;

    /// A fence for a load of `key` that begins now. Each one is given back through [`release`](Cache::release).
    fn fence(&self, key: &str) -> Reply<'_, Fence>;

    /// A fence that makes loads in other processes wait, or word that one of them has it: so that a fleet loads a key
    /// once. A process that has it already is given another fence: which of its own callers load is its own affair. The
    /// lease of a process that has died is free within three seconds. `retrying`: a load that was waited for has brought
    /// nothing that could be shared, so a few may load beside whoever has it now.
    ///
    /// [`fence`](Cache::fence) is granted whoever has the lease. A backend of one process need not tell the two apart.
    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        let _ = retrying;
        self.fence(key).map(Lease::Mine)
    }

    /// The load is over, published or not.
    fn release(&self, key: &str, fence: Fence) {
        let _ = (key, fence);
    }

    /// The same, with word for those in other processes who wait for its lease; what an engine calls.
    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        let _ = ended;
        self.release(key, fence);
    }

    /// Tells `listener`, for as long as it lives, of whatever anybody changes; or says why it does not.
    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        let _ = listener;
        Notices::Withheld
    }

    /// Returns when every live node has handled what this process had changed before it called this: no read that starts
    /// on any of them after that is given what was there before. See [`Reply::acked`].
    ///
    /// A backend of one process has nobody to wait for. One that several processes share, and that nobody keeps copies of
    /// for longer than it is told ([`listen`](Cache::listen)), has to wait for those whom it tells.
    fn acknowledged(&self) -> Reply<'_, ()> {
        Reply::ready(())
    }

    /// What stands for all that was changed before this was called: by this process, and by whoever it knows of that its
    /// change was answered.
    fn token(&self) -> Reply<'_, Token> {
        Reply::ready(Token::default())
    }

    /// When this has answered, reads that start later here see at least what `token` stands for.
    ///
    /// # Errors
    /// `Unavailable`: whether they do cannot be said.
    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        let _ = token;
        Reply::ready(())
    }

    /// What is wrong with the backend, in words that say what to do; nothing while it is well.
    fn troubles(&self) -> Reply<'_, Vec<String>> {
        Reply::ready(Vec::new())
    }

    /// How the connection to a store elsewhere is; `None` of a backend that has none. Must not wait.
    fn remote(&self) -> Option<Connection> {
        None
    }

    /// Delivers what is still queued, for `within` at most; how many invalidations were not delivered.
    fn close(&self, within: Duration) -> Reply<'_, u64> {
        let _ = within;
        Reply::ready(0)
    }

    /// What the backend holds, as exactly as it knows: what was invalidated or has expired may count until it is swept.
    /// A backend that cannot know leaves everything at zero.
    fn usage(&self) -> Usage;
}
