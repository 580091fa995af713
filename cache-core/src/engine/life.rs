//! How a cache is, and how it ends.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;

use super::Engine;
use crate::clock::within;
use crate::reply::Reply;

/// How a cache is; see [`Engine::health`].
#[non_exhaustive]
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Health {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// What is wrong, in words that say what to do.
    pub troubles: Vec<String>,
    /// Keys that are being loaded now.
    pub in_flight: usize,
    /// Loads that run in the background now.
    pub background: usize,
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
            let quiet = pin!(poll_fn(|cx| match shared.background.is_quiet(cx.waker()) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }));
            within(&shared.clock, Some(until), quiet).await;
            let invalidations = self.cache.close(until - shared.clock.now()).await;
            // Which publishes what has been counted.
            let _ = self.stats();
            let invalidations = invalidations?;
            Ok(Closed { refreshes: shared.background.running(), invalidations })
        }))
    }
}
