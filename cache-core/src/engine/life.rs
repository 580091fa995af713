//! How a cache is, and how it ends.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;

use super::Engine;
use crate::clock::within;
use crate::coherence::Coherence;
use crate::connection::Connection;
use crate::reply::Reply;

/// How a cache is; see [`Engine::health`]. Serialises as an object of its fields; serde writes `uptime` as
/// `{"secs": 1, "nanos": 500000000}`.
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Health {
    /// Whether nothing is wrong. A connection that does not stand is a trouble from the beginning. The channel by which a store
    /// tells what others change has two seconds to be made before it is one: until it stands, copies in memory are trusted
    /// for a few seconds only, so nothing depends on it.
    pub ok: bool,
    /// What is wrong, in words that say what to do.
    pub troubles: Vec<String>,
    /// Keys that are being loaded now.
    pub in_flight: usize,
    /// Loads that run in the background now.
    pub background: usize,
    /// How the connection to a store elsewhere is; `None` where the cache has none.
    pub remote: Option<Connection>,
    /// How it hears of what other processes change, and whether its copies in memory were found to be true.
    pub coherence: Coherence,
    /// The time since the cache was built.
    pub uptime: Duration,
}

/// What [`Engine::close`] left undone; all zero if it is done.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Closed {
    /// Background loads that still run.
    pub refreshes: usize,
    /// Invalidations that were not delivered to a remote tier.
    pub invalidations: u64,
}

impl Engine {
    /// How the cache is: what is wrong with its backends, and what it is doing. For a program's own health check.
    ///
    /// # Errors
    /// None of its own: a backend that cannot be reached is a trouble.
    pub fn health(&self) -> Reply<'_, Health> {
        let health = |troubles: Vec<String>| Health {
            ok: troubles.is_empty(),
            troubles,
            in_flight: self.shared.flights.len(),
            background: self.shared.background.running(),
            remote: self.cache.remote(),
            coherence: self.cache.usage().coherence,
            uptime: self.shared.clock.now() - self.shared.began,
        };
        match self.cache.troubles() {
            Reply::Ready(Err(error)) => Reply::ready(health(vec![error.to_string()])),
            Reply::Pending(troubles) => Reply::Pending(Box::pin(async move {
                Ok(health(troubles.await.unwrap_or_else(|error| vec![error.to_string()])))
            })),
            reply => reply.map(health),
        }
    }

    /// Ends the work in the background: no refresh begins any more, those that run are waited for, and invalidations
    /// that are queued are delivered; all that for `deadline` at most. Says what is left undone. The cache can still
    /// be used; what is stale is then served as long as it may be, and loaded by its callers after that.
    ///
    /// The deadline is kept by the clock that the cache was built with. Under a [`ManualClock`](crate::ManualClock) it
    /// only comes when somebody turns that, so `close` then waits as long as the work takes.
    ///
    /// # Errors
    /// Those of a remote backend.
    ///
    /// # Cancellation
    /// Dropping the reply gives up the waiting; no refresh begins all the same.
    pub fn close(&self, deadline: Duration) -> Reply<'_, Closed> {
        let shared = &self.shared;
        shared.background.close();
        let until = shared.clock.now() + deadline;
        Reply::Pending(Box::pin(async move {
            let quiet = pin!(self.quiet());
            within(&shared.clock, Some(until), quiet).await;
            let invalidations = self.cache.close(until - shared.clock.now()).await;
            // Which publishes what has been counted.
            let _ = self.stats();
            let invalidations = invalidations?;
            Ok(Closed { refreshes: shared.background.running(), invalidations })
        }))
    }

    /// Waits until no load runs in the background, so that a test can look at what a refresh has brought. However long
    /// that takes: put a timeout around it where a loader might hang. Needs no clock, so one that stands does not
    /// matter.
    ///
    /// Await it inside an async runtime: `wait()` would hold the thread that a refresh may need. Where refreshes run on
    /// threads of their own (synchronous loads outside a runtime), `wait()` is right.
    ///
    /// ```
    /// # use larder::{testing::Plain, Engine, ManualClock, Policy};
    /// # use std::time::Duration;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let clock = ManualClock::new();
    /// # let cache = Engine::builder().clock(clock.clock()).build(std::sync::Arc::new(Plain::new(clock.clock())));
    /// let policy = Policy::ttl(Duration::from_secs(1)).swr(Duration::from_secs(60));
    /// cache.get_or_load("k", &policy, || async { 1 }).await;
    /// clock.advance(Duration::from_secs(2));
    /// assert_eq!(*cache.get_or_load("k", &policy, || async { 2 }).await, 1); // stale, and refreshed behind it
    /// cache.settle().await?;
    /// assert_eq!(*cache.get_or_load("k", &policy, || async { 3 }).await, 2);
    /// # Ok::<(), larder::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// None; it is a [`Reply`] so that it can be awaited and waited for.
    ///
    /// # Cancellation
    /// Dropping the reply gives up the waiting alone.
    pub fn settle(&self) -> Reply<'_, ()> {
        if self.shared.background.running() == 0 {
            return Reply::ready(());
        }
        Reply::Pending(Box::pin(async {
            self.quiet().await;
            Ok(())
        }))
    }

    /// Until no load runs in the background.
    fn quiet(&self) -> impl Future<Output = ()> {
        poll_fn(|cx| match self.shared.background.is_quiet(cx.waker()) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
    }
}
