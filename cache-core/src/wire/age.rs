//! How old an entry is, from what its store says is left of it.

use std::time::Duration;

use super::Envelope;
use super::layout::{duration, lifetimes, millis};
use crate::deadline::Lifetime;

/// What no end is cut to, so that the store can always say how old an entry is: a hundred years.
const CENTURY: u64 = 100 * 365 * 24 * 60 * 60 * 1000;

/// When the store is to drop an entry by itself, in milliseconds from the moment it is stored (Redis: `PX`). Every
/// entry has such a moment, also one that lives for ever: what is left until it tells a reader the entry's age.
pub fn expiry(lifetime: Lifetime) -> u64 {
    let [fresh, stale] = lifetimes(lifetime);
    fresh.saturating_add(stale).clamp(1, CENTURY)
}

/// What time has made of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Aged {
    /// What is left of both deadlines; `fresh` is zero once the entry is stale.
    pub left: Lifetime,
    /// For how long it has been stale.
    pub stale_for: Duration,
    /// The time since it was stored.
    pub age: Duration,
}

impl Envelope<'_> {
    /// How old the entry is, when its store will drop it in `remaining` (Redis: `PTTL`).
    ///
    /// `None` if it has expired, or if more is left of it than it had: then somebody has meddled with its expiry, and
    /// nobody knows its age.
    pub fn left(&self, remaining: Duration) -> Option<Aged> {
        let (expiry, remaining) = (expiry(self.lifetime), millis(remaining));
        let age = expiry.checked_sub(remaining).filter(|_| remaining > 0)?;
        let after = |end: Duration| {
            if end == Duration::MAX { end } else { duration(millis(end).saturating_sub(age)) }
        };
        let left = Lifetime { fresh: after(self.lifetime.fresh), total: after(self.lifetime.total) };
        let age = duration(age);
        Some(Aged { left, stale_for: age.saturating_sub(self.lifetime.fresh), age })
    }
}
