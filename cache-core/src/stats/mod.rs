//! What a cache has done, counted without slowing a hit.

mod stripe;

use std::time::Duration;

use serde::Serialize;

use crate::coherence::Coherence;
use crate::entry::Usage;
use stripe::Stripes;

/// What a cache has done since it was built. Counts are exact once the counted calls have returned.
///
/// Serialises as an object with a number for each field, but for `load_time`: serde writes a [`Duration`] as
/// `{"secs": 1, "nanos": 500000000}`; and `coherence`, which is an object of its own.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Stats {
    /// Reads answered with a fresh value, loads included.
    pub hits: u64,
    /// Reads that found nothing fresh, and nothing stale they could use.
    pub misses: u64,
    /// Loads answered with a stale value, while a refresh runs or because a load failed.
    pub stale_hits: u64,
    /// Runs of a loader, in the foreground or the background.
    pub loads: u64,
    /// Those of them that ran in the background.
    pub refreshes: u64,
    /// Loads that failed.
    pub load_failures: u64,
    /// Time spent in loaders, each counted in whole milliseconds.
    pub load_time: Duration,
    /// Loads over the time that counts as slow, a second if not told otherwise (`slow_load` of the builder).
    pub slow_loads: u64,
    /// Callers that shared the load of another one.
    pub coalesced: u64,
    /// Loaded values that were not stored, since their key was written, invalidated or published meanwhile.
    pub fenced: u64,
    /// Calls that set or deleted a key.
    pub writes: u64,
    /// Calls that invalidated or marked stale.
    pub invalidations: u64,
    /// Troubles of the cache or its use that a load went on without: bad keys, policies, backends.
    pub errors: u64,
    /// Entries held in memory; what a pattern or a tag invalidated counts until it is swept, half a second at most. With a Redis
    /// behind it, of the memory in front; 0 without one, as Redis is not asked.
    pub entries: u64,
    /// What they weigh together, in the unit of the backend's capacity; of Redis as `entries`.
    pub weight: u64,
    /// Entries that gave way to others; of Redis as `entries`, whose `INFO` tells it of all its keys.
    pub evictions: u64,
    /// Entries whose time was over; of Redis as `entries`.
    pub expirations: u64,
    /// How it hears of what other processes change, and whether its copies in memory were found to be true.
    pub coherence: Coherence,
}

impl Stats {
    /// Fresh and stale hits of all reads; zero before the first.
    pub fn hit_ratio(&self) -> f64 {
        let hits = self.hits + self.stale_hits;
        let reads = hits + self.misses;
        if reads == 0 { 0.0 } else { hits as f64 / reads as f64 }
    }
}

/// The events that are counted; each one's place in a stripe.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    Hit,
    Miss,
    StaleHit,
    Load,
    Refresh,
    LoadFailure,
    LoadMillis,
    SlowLoad,
    Coalesced,
    Fenced,
    Write,
    Invalidation,
    Error,
}

/// The counters of one cache.
#[derive(Default)]
pub(crate) struct Counters(Stripes);

impl Counters {
    #[inline]
    pub(crate) fn count(&self, event: Event) {
        self.0.add(event as usize, 1);
    }

    pub(crate) fn load_took(&self, time: Duration, slow: bool) {
        self.0.add(Event::LoadMillis as usize, u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        if slow {
            self.count(Event::SlowLoad);
        }
    }

    pub(crate) fn stats(&self, usage: Usage) -> Stats {
        let count = |event: Event| self.0.sum(event as usize);
        Stats {
            hits: count(Event::Hit),
            misses: count(Event::Miss),
            stale_hits: count(Event::StaleHit),
            loads: count(Event::Load),
            refreshes: count(Event::Refresh),
            load_failures: count(Event::LoadFailure),
            load_time: Duration::from_millis(count(Event::LoadMillis)),
            slow_loads: count(Event::SlowLoad),
            coalesced: count(Event::Coalesced),
            fenced: count(Event::Fenced),
            writes: count(Event::Write),
            invalidations: count(Event::Invalidation),
            errors: count(Event::Error),
            entries: usage.entries,
            weight: usage.weight,
            evictions: usage.evictions,
            expirations: usage.expirations,
            coherence: usage.coherence,
        }
    }
}
