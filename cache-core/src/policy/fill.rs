//! What a policy comes to for one fill, and for one read of it.

use std::time::Duration;

use super::Policy;
use crate::deadline::Lifetime;
use crate::entry::Entry;

/// How long one fill lives.
pub(crate) struct Fill {
    pub(crate) lifetime: Lifetime,
    /// For how long nobody needs to look whether it is to be refreshed early.
    pub(crate) glance: Duration,
}

/// A random number exceeds this many times the mean of its exponential distribution once in a billion.
const NEVER: f64 = 20.7;

impl Policy {
    /// The TTL that the policy names, or else the cache's own.
    pub(crate) fn ttl_or(&self, default: Duration) -> Duration {
        self.settings.ttl.unwrap_or(default)
    }

    /// For how long a value may be there that is to be refreshed early.
    pub(crate) fn early_window(&self, default_ttl: Duration) -> Duration {
        let early = self.settings.refresh_ahead.is_some() || self.settings.xfetch > 0.0;
        if early { self.ttl_or(default_ttl) } else { Duration::ZERO }
    }

    /// The deadlines of a value that took `cost` to load.
    pub(crate) fn fill(&self, ttl: Duration, negative: bool, cost: Duration) -> Fill {
        let settings = &self.settings;
        let (ttl, window) = match settings.negative_ttl {
            Some(negative_ttl) if negative => (negative_ttl, Duration::ZERO),
            _ => (ttl, settings.swr.max(settings.sie)),
        };
        let fresh = match settings.jitter {
            share if share == 0.0 || ttl == Duration::MAX => ttl,
            share => (ttl - part(ttl, share * fastrand::f64())).max(Duration::from_millis(1)),
        };
        let lifetime = Lifetime { fresh, total: fresh.saturating_add(window) };
        Fill { lifetime, glance: self.glance(fresh, cost) }
    }

    fn glance(&self, fresh: Duration, cost: Duration) -> Duration {
        let settings = &self.settings;
        if settings.version != 0 {
            // A glance does not tell the version.
            return Duration::ZERO;
        }
        if fresh == Duration::MAX {
            return fresh;
        }
        let ahead = settings.refresh_ahead.map_or(Duration::MAX, |share| part(fresh, share));
        let xfetch = match settings.xfetch {
            0.0 => Duration::MAX,
            beta => fresh.saturating_sub(part(cost, beta * NEVER)),
        };
        ahead.min(xfetch)
    }

    /// Whether a fresh entry is to be refreshed now, before it turns stale.
    pub(crate) fn is_early(&self, entry: &Entry) -> bool {
        let settings = &self.settings;
        let left = entry.left.fresh;
        if left == Duration::MAX {
            return false;
        }
        let ahead = settings
            .refresh_ahead
            .is_some_and(|share| entry.age >= part(entry.age.saturating_add(left), share));
        // -ln of a number from 0 (exclusive) to 1 is exponentially distributed.
        let lot = || part(entry.origin.cost, settings.xfetch * -(1.0 - fastrand::f64()).ln());
        ahead || settings.xfetch > 0.0 && lot() >= left
    }
}

/// `share` of `whole`, saturating.
fn part(whole: Duration, share: f64) -> Duration {
    Duration::try_from_secs_f64(whole.as_secs_f64() * share).unwrap_or(Duration::MAX)
}
