//! Lifetimes, and what a deadline says of an entry at a moment: pure functions, no clock in sight.

use std::time::Duration;

use crate::clock::Time;

/// How long an entry may be served from the moment it is stored; [`Duration::MAX`] is for ever.
///
/// Only durations travel between tiers, never a node's clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lifetime {
    /// Fresh for this long.
    pub fresh: Duration,
    /// Gone after this long; between the two it is stale. Never less than `fresh`.
    pub total: Duration,
}

impl Lifetime {
    /// Fresh, and never expiring.
    pub const FOREVER: Self = Self { fresh: Duration::MAX, total: Duration::MAX };
}

/// What an entry is good for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
pub enum Freshness {
    /// Within its TTL.
    Fresh,
    /// Past its TTL (or marked stale), still servable while a refresh runs or when a load fails.
    Stale,
}

/// The two moments at which an entry turns stale, and at which it is gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadlines {
    /// Fresh before this.
    pub fresh_until: Time,
    /// Stale before this, expired from it on.
    pub stale_until: Time,
}

impl Deadlines {
    /// The deadlines of an entry stored at `now`; overflow saturates to for ever.
    pub fn new(now: Time, lifetime: Lifetime) -> Self {
        Self { fresh_until: now + lifetime.fresh, stale_until: now + lifetime.total.max(lifetime.fresh) }
    }

    /// Fresh, stale, or (`None`) expired at `now`.
    pub fn at(self, now: Time) -> Option<Freshness> {
        if now < self.fresh_until {
            Some(Freshness::Fresh)
        } else if now < self.stale_until {
            Some(Freshness::Stale)
        } else {
            None
        }
    }

    /// What is left of the lifetime at `now`.
    pub fn left(self, now: Time) -> Lifetime {
        Lifetime { fresh: self.fresh_until - now, total: self.stale_until - now }
    }

    /// The deadlines with a new TTL from `now`: lengthened or shortened, the stale window after it kept;
    /// unchanged if the entry is stale, which nothing but a load makes fresh again.
    #[must_use]
    pub fn with_ttl(self, now: Time, ttl: Duration) -> Self {
        if self.at(now) != Some(Freshness::Fresh) {
            return self;
        }
        let fresh_until = now + ttl;
        if self.fresh_until == Time::MAX {
            // It had no end, and so no stale window after it.
            return Self { fresh_until, stale_until: fresh_until };
        }
        Self { fresh_until, stale_until: fresh_until + (self.stale_until - self.fresh_until) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadlines(fresh: u64, total: u64) -> Deadlines {
        let ms = Duration::from_millis;
        Deadlines::new(Time::ZERO, Lifetime { fresh: ms(fresh), total: ms(total) })
    }

    #[test]
    fn fresh_then_stale_then_expired_to_the_millisecond() {
        let d = deadlines(10, 15);
        let at = |ms| d.at(Time::from_millis(ms));
        assert_eq!(at(9), Some(Freshness::Fresh));
        assert_eq!(at(10), Some(Freshness::Stale));
        assert_eq!(at(14), Some(Freshness::Stale));
        assert_eq!(at(15), None);
    }

    #[test]
    fn overflow_saturates_to_for_ever() {
        let d = Deadlines::new(Time::from_millis(u64::MAX - 5), Lifetime::FOREVER);
        assert_eq!(d.at(Time::from_millis(u64::MAX - 1)), Some(Freshness::Fresh));
        assert_eq!(d.left(Time::ZERO).fresh, Duration::MAX);
    }

    #[test]
    fn a_new_ttl_keeps_the_stale_window_and_never_revives() {
        let d = deadlines(10, 15).with_ttl(Time::from_millis(5), Duration::from_millis(100));
        assert_eq!((d.fresh_until, d.stale_until), (Time::from_millis(105), Time::from_millis(110)));
        let forever =
            Deadlines::new(Time::ZERO, Lifetime::FOREVER).with_ttl(Time::ZERO, Duration::from_secs(1));
        assert_eq!(forever.at(Time::from_millis(1000)), None);
        let stale = deadlines(10, 15);
        assert_eq!(stale.with_ttl(Time::from_millis(12), Duration::from_secs(9)), stale);
    }
}
