//! No events: the feature `tracing` is off.

use std::time::Duration;

use super::Asked;
use crate::error::Error;
use crate::reply::Reply;
use crate::stats::Event;
use crate::target::{Strength, Target};

/// Nobody wants to know when anything began.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Began;

impl Began {
    #[inline(always)]
    pub(in crate::engine) fn read() -> Self {
        Self
    }

    #[inline(always)]
    pub(in crate::engine) fn write() -> Self {
        Self
    }
}

#[inline(always)]
pub(super) fn saw(_cache: &str, _key: &str, _event: Event, _began: Began) {}

#[inline(always)]
pub(super) fn loaded(_cache: &str, _key: &str, _took: Duration, _well: bool, _slow: Option<Duration>) {}

#[inline(always)]
pub(super) fn noted(_cache: &str, _error: &Error) {}

/// Nobody wants to know whether it can be used.
#[derive(Default)]
pub(super) struct Backend(());

#[inline(always)]
pub(super) fn fails(_cache: &str, _backend: &Backend, _asked: Asked, _error: &Error) {}

#[inline(always)]
pub(super) fn works(_cache: &str, _backend: &Backend, _asked: Asked) {}

#[inline(always)]
pub(super) fn answered<'r, T>(
    _cache: &'r str,
    _verb: &'static str,
    _key: &str,
    _began: Began,
    reply: Reply<'r, T>,
) -> Reply<'r, T> {
    reply
}

#[inline(always)]
pub(super) fn struck<'r>(
    _cache: &'r str,
    _target: Target<'_>,
    _strength: Strength,
    _began: Began,
    reply: Reply<'r, ()>,
) -> Reply<'r, ()> {
    reply
}
