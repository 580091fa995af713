//! What the engine tells of, wherever it happens.

use std::sync::Arc;
use std::time::Duration;

use super::meters::Meters;
use super::outcome::Outcome;
use super::{Began, events};
use crate::cache::Cache;
use crate::engine::{Engine, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::reply::Reply;
use crate::stats::{Event, Stats};
use crate::target::{Strength, Target};

/// Under which name a cache is watched, and which of its loads are slow.
pub(in crate::engine) struct Watch {
    pub(in crate::engine) name: Box<str>,
    slow: Duration,
    pub(super) meters: Meters,
    backend: events::Backend,
}

/// What a backend was asked by a load.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::engine) enum Asked {
    Read,
    /// To store a value, to invalidate, to grant a fence.
    Write,
}

impl Watch {
    pub(in crate::engine) fn new(name: Box<str>, slow: Duration, cache: &Arc<dyn Cache>) -> Self {
        let meters = Meters::new(&name, cache);
        Self { name, slow, meters, backend: events::Backend::default() }
    }

    /// Publishes what `stats` has more than was published before.
    pub(in crate::engine) fn publish(&self, stats: &Stats) {
        self.meters.publish(stats);
    }

    /// Begins to publish what is counted.
    pub(in crate::engine) fn begin(shared: &Arc<Shared>) {
        Meters::begin(shared);
    }
}

impl Engine {
    /// Counts what has become of `key`, and tells of it.
    #[inline]
    pub(in crate::engine) fn saw(&self, key: &str, event: Event, began: Began) {
        self.count(event);
        events::saw(&self.shared.watch.name, key, event, began);
    }

    /// A load is over.
    pub(in crate::engine) fn loaded(&self, key: &str, took: Duration, well: bool) {
        let Watch { name, slow, meters, .. } = &self.shared.watch;
        let slow = (took > *slow).then_some(*slow);
        self.shared.counters.load_took(took, slow.is_some());
        if !well {
            self.count(Event::LoadFailure);
        }
        meters.loaded(took);
        events::loaded(name, key, took, well, slow);
    }

    /// Something went wrong that its caller will not be told of.
    pub(in crate::engine) fn note(&self, error: &Error) {
        self.note_of(Asked::Write, error);
    }

    /// How the backend answered a load, whose caller will not be told of an error.
    #[inline]
    pub(in crate::engine) fn heard<T>(&self, asked: Asked, answer: &Result<T>) {
        match answer {
            Ok(_) => events::works(&self.shared.watch.name, &self.shared.watch.backend, asked),
            Err(error) => self.note_of(asked, error),
        }
    }

    #[cold]
    fn note_of(&self, asked: Asked, error: &Error) {
        self.count(Event::Error);
        let Watch { name, backend, .. } = &self.shared.watch;
        if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Queued) {
            events::fails(name, backend, asked, error);
        } else {
            events::noted(name, error);
        }
    }

    /// Tells of a write of `key` once it is answered.
    #[inline]
    pub(in crate::engine) fn answered<'r, T: Outcome + 'r>(
        &'r self,
        verb: &'static str,
        key: &str,
        began: Began,
        reply: Reply<'r, T>,
    ) -> Reply<'r, T> {
        events::answered(&self.shared.watch.name, verb, key, began, reply)
    }

    /// Tells of an invalidation once it is answered.
    pub(in crate::engine) fn struck<'r>(
        &'r self,
        target: Target<'_>,
        strength: Strength,
        began: Began,
        reply: Reply<'r, ()>,
    ) -> Reply<'r, ()> {
        events::struck(&self.shared.watch.name, target, strength, began, reply)
    }
}
