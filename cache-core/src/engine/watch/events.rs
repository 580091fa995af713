//! The events of a cache, `GET user:42 HIT 0.4µs`, on the target `larder`.
//!
//! Reads are TRACE, writes, loads and invalidations DEBUG, loads that failed INFO (their caller knows, or a stale value
//! stood in), slow loads and troubles that nobody else is told of WARN. A backend that cannot be used is one WARN, and an
//! INFO when it can be again; what happens to each key meanwhile is DEBUG. No value is ever told, and no loader's error.

use std::time::{Duration, Instant};

use tracing::Level;
use tracing::level_filters::{LevelFilter, STATIC_MAX_LEVEL};

use super::Asked;
use super::outcome::Outcome;
pub(super) use super::usable::Usable as Backend;
use super::words::{Name, Took, micros};
use crate::error::Error;
use crate::reply::Reply;
use crate::stats::Event;
use crate::target::{Strength, Target};

const TARGET: &str = "larder";

/// When an operation began, if somebody listens: nobody else has the clock read.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Began(Option<Instant>);

impl Began {
    #[inline]
    pub(in crate::engine) fn read() -> Self {
        Self(if listened(Level::TRACE) { read_began() } else { None })
    }

    pub(in crate::engine) fn write() -> Self {
        let listens = listened(Level::DEBUG) && tracing::enabled!(target: TARGET, Level::DEBUG);
        Self(listens.then(Instant::now))
    }
}

/// Whether anybody listens to anything of this level: one load of an atomic.
#[inline]
fn listened(level: Level) -> bool {
    level <= STATIC_MAX_LEVEL && level <= LevelFilter::current()
}

#[cold]
fn read_began() -> Option<Instant> {
    tracing::enabled!(target: TARGET, Level::TRACE).then(Instant::now)
}

/// What has become of a read, or of the value that a load brought.
#[inline]
pub(super) fn saw(cache: &str, key: &str, event: Event, began: Began) {
    let outcome = match event {
        Event::Hit => "HIT",
        Event::Miss => "MISS",
        Event::StaleHit => "STALE",
        Event::Coalesced => "COALESCED",
        Event::Refresh => return refreshing(cache, key),
        Event::Fenced => return fenced(cache, key),
        _ => return,
    };
    if let Some(began) = began.0 {
        read(cache, key, outcome, began.elapsed());
    }
}

#[cold]
#[inline(never)]
fn read(cache: &str, key: &str, outcome: &str, took: Duration) {
    let (key, elapsed_us) = (Name(key), micros(took));
    tracing::trace!(target: TARGET, cache, %key, outcome, elapsed_us, "GET {key} {outcome} {}", Took(took));
}

#[cold]
fn refreshing(cache: &str, key: &str) {
    let (key, outcome) = (Name(key), "REFRESH");
    tracing::debug!(target: TARGET, cache, %key, outcome, "LOAD {key} {outcome}: in the background");
}

#[cold]
fn fenced(cache: &str, key: &str) {
    let (key, outcome) = (Name(key), "FENCED");
    tracing::debug!(
        target: TARGET, cache, %key, outcome,
        "LOAD {key} {outcome}: changed meanwhile, so its value is not stored"
    );
}

/// A load is over; `slow` is the time it took more than, if it did.
pub(super) fn loaded(cache: &str, key: &str, took: Duration, well: bool, slow: Option<Duration>) {
    let (key, outcome, elapsed_us) = (Name(key), if well { "OK" } else { "FAILED" }, micros(took));
    let took = Took(took);
    if let Some(limit) = slow {
        let (outcome, limit) = (if well { "SLOW" } else { outcome }, Took(limit));
        tracing::warn!(
            target: TARGET, cache, %key, outcome, elapsed_us,
            "LOAD {key} {outcome} {took}: slow, over {limit}"
        );
    } else if well {
        tracing::debug!(target: TARGET, cache, %key, outcome, elapsed_us, "LOAD {key} {outcome} {took}");
    } else {
        tracing::info!(target: TARGET, cache, %key, outcome, elapsed_us, "LOAD {key} {outcome} {took}");
    }
}

/// A trouble of the cache that a load went on without.
pub(super) fn noted(cache: &str, error: &Error) {
    tracing::warn!(target: TARGET, cache, kind = ?error.kind(), "went on without the cache: {error}");
}

/// The backend could not be used by a load, which went on without it.
pub(super) fn fails(cache: &str, backend: &Backend, asked: Asked, error: &Error) {
    let kind = error.kind();
    if backend.fails(asked) {
        tracing::warn!(
            target: TARGET, cache, ?kind,
            "the backend cannot be used, so loads go on without it: {error}"
        );
    } else {
        tracing::debug!(target: TARGET, cache, ?kind, "went on without the cache: {error}");
    }
}

/// The backend answered a load.
#[inline]
pub(super) fn works(cache: &str, backend: &Backend, asked: Asked) {
    if backend.works(asked) {
        back(cache);
    }
}

#[cold]
fn back(cache: &str) {
    tracing::info!(target: TARGET, cache, "the backend can be used again");
}

/// Tells of a write when it is answered.
#[inline]
pub(super) fn answered<'r, T: Outcome + 'r>(
    cache: &'r str,
    verb: &'static str,
    key: &str,
    began: Began,
    reply: Reply<'r, T>,
) -> Reply<'r, T> {
    match began.0 {
        None => reply,
        Some(began) => told(cache, verb, key, began, reply),
    }
}

/// Tells of an invalidation when it is answered.
pub(super) fn struck<'r>(
    cache: &'r str,
    target: Target<'_>,
    strength: Strength,
    began: Began,
    reply: Reply<'r, ()>,
) -> Reply<'r, ()> {
    let (invalidate, mark, name) = match target {
        Target::Key(key) => ("INVALIDATE key", "MARK STALE key", key),
        Target::Pattern(pattern) => ("INVALIDATE pattern", "MARK STALE pattern", pattern),
        Target::Tag(tag) => ("INVALIDATE tag", "MARK STALE tag", tag),
        Target::All => ("INVALIDATE", "MARK STALE", "all"),
    };
    let verb = match strength {
        Strength::Remove => invalidate,
        Strength::MarkStale => mark,
    };
    answered(cache, verb, name, began, reply)
}

#[cold]
fn told<'r, T: Outcome + 'r>(
    cache: &'r str,
    verb: &'static str,
    key: &str,
    began: Instant,
    reply: Reply<'r, T>,
) -> Reply<'r, T> {
    match reply.answer() {
        Reply::Ready(result) => {
            wrote(cache, verb, key, result.as_ref().map_or("FAILED", Outcome::word), began.elapsed());
            Reply::Ready(result)
        }
        Reply::Pending(future) => {
            let key: Box<str> = key.into();
            Reply::Pending(Box::pin(async move {
                let result = future.await;
                wrote(cache, verb, &key, result.as_ref().map_or("FAILED", Outcome::word), began.elapsed());
                result
            }))
        }
        reply => reply,
    }
}

fn wrote(cache: &str, verb: &str, key: &str, outcome: &str, took: Duration) {
    let (key, elapsed_us) = (Name(key), micros(took));
    tracing::debug!(
        target: TARGET, cache, %key, outcome, elapsed_us,
        "{verb} {key} {outcome} {}", Took(took)
    );
}

#[cfg(test)]
mod tests {
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Metadata, Subscriber};

    use super::*;

    /// Listens to DEBUG and above, and hears nothing.
    struct Deaf;

    impl Subscriber for Deaf {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() <= Level::DEBUG
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &tracing::Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn a_clock_is_read_only_where_somebody_listens() {
        assert!(Began::read().0.is_none() && Began::write().0.is_none());
        tracing::subscriber::with_default(Deaf, || {
            assert!(Began::read().0.is_none());
            assert!(Began::write().0.is_some());
        });
    }
}
