//! A cache's counters, published through the `metrics` facade.
//!
//! Counting does not know of it: once a second what has been added since is published, and what is left when somebody
//! asks for the stats and when the cache is dropped. Each counter remembers how far it has been published and moves on
//! atomically, so nothing is published twice whoever publishes at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use metrics::{Key, Label, Level, Metadata, Recorder, Unit};

use crate::cache::Cache;
use crate::engine::Shared;
use crate::stats::{Counters, Stats};

const PUBLISH_EVERY: Duration = Duration::from_secs(1);
const METADATA: Metadata<'static> = Metadata::new("larder", Level::INFO, Some(module_path!()));

type Read = fn(&Stats) -> u64;

const COUNTERS: [(&str, &str, Read); 21] = [
    ("larder_hits_total", "Reads answered with a fresh value.", |stats| stats.hits),
    ("larder_misses_total", "Reads that found nothing they could use.", |stats| stats.misses),
    ("larder_stale_hits_total", "Loads answered with a stale value.", |stats| stats.stale_hits),
    ("larder_loads_total", "Runs of a loader.", |stats| stats.loads),
    ("larder_refreshes_total", "Loads in the background.", |stats| stats.refreshes),
    ("larder_load_failures_total", "Loads that failed.", |stats| stats.load_failures),
    ("larder_load_milliseconds_total", "Time spent in loaders.", |stats| millis(stats.load_time)),
    ("larder_slow_loads_total", "Loads over the time that counts as slow.", |stats| stats.slow_loads),
    ("larder_coalesced_total", "Callers that shared another one's load.", |stats| stats.coalesced),
    ("larder_fenced_total", "Loaded values not stored, since their key changed meanwhile.", |stats| {
        stats.fenced
    }),
    ("larder_writes_total", "Calls that set or deleted a key.", |stats| stats.writes),
    ("larder_invalidations_total", "Calls that invalidated or marked stale.", |stats| stats.invalidations),
    ("larder_errors_total", "Troubles of the cache that a load went on without.", |stats| stats.errors),
    ("larder_evictions_total", "Entries that gave way to others.", |stats| stats.evictions),
    ("larder_expirations_total", "Entries whose time was over.", |stats| stats.expirations),
    ("larder_notices_sent_total", "Changes that others are told of.", |stats| stats.coherence.notices_sent),
    ("larder_notices_received_total", "Changes that the store told of.", |stats| {
        stats.coherence.notices_received
    }),
    ("larder_gaps_total", "Times that word of changes may have been missed.", |stats| stats.coherence.gaps),
    ("larder_reconnects_total", "Times that the connection was lost.", |stats| stats.coherence.reconnects),
    ("larder_compared_total", "Copies in memory that were compared.", |stats| stats.coherence.compared),
    ("larder_disagreed_total", "Those of them that were not what the store had.", |stats| {
        stats.coherence.disagreed
    }),
];
const GAUGES: [(&str, &str, Read); 3] = [
    ("larder_entries", "Entries held.", |stats| stats.entries),
    ("larder_weight", "What the entries weigh together.", |stats| stats.weight),
    ("larder_behind_milliseconds", "How long ago all changes were known to have been heard of.", |stats| {
        millis(stats.coherence.behind)
    }),
];
const LOAD_SECONDS: &str = "larder_load_seconds";

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

struct Counter {
    key: Key,
    read: Read,
    published: AtomicU64,
}

pub(super) struct Meters {
    cache: Arc<dyn Cache>,
    counters: [Counter; COUNTERS.len()],
    gauges: [(Key, Read); GAUGES.len()],
    load_seconds: Key,
    described: AtomicBool,
}

impl Meters {
    pub(super) fn new(name: &str, cache: &Arc<dyn Cache>) -> Self {
        let label = Label::new("cache", name.to_owned());
        let key = |name| Key::from_parts(name, vec![label.clone()]);
        Self {
            cache: cache.clone(),
            counters: COUNTERS.map(|(name, _, read)| Counter { key: key(name), read, published: 0.into() }),
            gauges: GAUGES.map(|(name, _, read)| (key(name), read)),
            load_seconds: key(LOAD_SECONDS),
            described: false.into(),
        }
    }

    /// Publishes now, and again and again until the cache is gone.
    pub(super) fn begin(shared: &Arc<Shared>) {
        shared.watch.meters.publish_now(&shared.counters);
        publish_later(shared);
    }

    pub(super) fn loaded(&self, took: Duration) {
        metrics::with_recorder(|recorder| {
            recorder.register_histogram(&self.load_seconds, &METADATA).record(took.as_secs_f64());
        });
    }

    fn publish_now(&self, counters: &Counters) {
        self.publish(&counters.stats(self.cache.usage()));
    }

    /// Publishes what `stats` has more than was published before.
    pub(super) fn publish(&self, stats: &Stats) {
        metrics::with_recorder(|recorder| {
            if !self.described.swap(true, Ordering::Relaxed) {
                describe(recorder);
            }
            for Counter { key, read, published } in &self.counters {
                let now = read(stats);
                let more = now.saturating_sub(published.fetch_max(now, Ordering::Relaxed));
                recorder.register_counter(key, &METADATA).increment(more);
            }
        });
        self.gauge(|read| read(stats));
    }

    fn gauge(&self, value: impl Fn(Read) -> u64) {
        metrics::with_recorder(|recorder| {
            for (key, read) in &self.gauges {
                recorder.register_gauge(key, &METADATA).set(value(*read) as f64);
            }
        });
    }
}

fn describe(recorder: &dyn Recorder) {
    for (name, what, _) in COUNTERS {
        recorder.describe_counter(name.into(), Some(Unit::Count), what.into());
    }
    for (name, what, _) in GAUGES {
        recorder.describe_gauge(name.into(), Some(Unit::Count), what.into());
    }
    recorder.describe_histogram(LOAD_SECONDS.into(), Some(Unit::Seconds), "How long loads took.".into());
}

fn publish_later(shared: &Arc<Shared>) {
    let (clock, weak): (_, Weak<Shared>) = (&shared.clock, Arc::downgrade(shared));
    clock.run_at(clock.now() + PUBLISH_EVERY, move || {
        if let Some(shared) = weak.upgrade() {
            // First, lest a recorder that panics were the last to be told.
            publish_later(&shared);
            shared.watch.meters.publish_now(&shared.counters);
        }
    });
}

/// What was counted since is published still, and nothing is held any more.
impl Drop for Shared {
    fn drop(&mut self) {
        self.watch.meters.publish_now(&self.counters);
        self.watch.meters.gauge(|_| 0);
    }
}
