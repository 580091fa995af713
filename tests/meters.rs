//! What a cache publishes through `metrics`.
#![cfg(feature = "metrics")]

mod recorder;

use std::time::Duration;

use larder::{
    Cache, Coherence, Entry, Fence, Kind, Larder, Lifetime, Local, ManualClock, Memory, Nothing, Policy,
    Reply, Set, Stats, Stored, Strength, Target, Usage, Value,
};
use metrics::with_local_recorder;
use recorder::Sums;

const MINUTE: Duration = Duration::from_secs(60);

fn larder(clock: &ManualClock, capacity: usize) -> Larder {
    let memory = Memory::builder().capacity(capacity).clock(clock.clock()).build();
    Larder::builder().clock(clock.clock()).memory(memory).name("campus").build()
}

/// Some of everything that is counted, but for followers and the background; of each another number.
fn work(cache: &Larder, clock: &ManualClock) {
    let policy = || Policy::ttl(MINUTE).sie(MINUTE);
    for id in 0..40_u64 {
        let key = format!("user:{id}");
        cache.get_or_compute(&key, MINUTE, || {
            clock.advance(Duration::from_millis(id * 30));
            Local(id)
        });
        cache.get::<Local<u64>>(&key).wait().expect("reads");
    }
    cache.set("name", "Lakeside".to_owned(), policy()).wait().expect("stores");
    cache.get_or_compute("name", policy(), || Local(7_u64));
    cache.set("name", "Lakeside".to_owned(), policy()).wait().expect("stores");
    clock.advance(MINUTE);
    let stale = cache.try_get_or_compute("name", policy(), || Err::<String, _>("down"));
    assert!(stale.is_ok());
    for key in ["first", "second"] {
        cache.get_or_compute(key, MINUTE, || {
            cache.delete(key).wait().expect("deletes");
            Local(1_u64)
        });
        let failed = cache.try_get_or_compute("failing", MINUTE, || Err::<String, _>("down"));
        assert!(failed.is_err());
    }
    (0..6).for_each(|_| drop(cache.get_or_compute("no\nkey", MINUTE, || Local(1_u64))));
    (0..8).for_each(|_| cache.invalidate_pattern("nobody:*").wait().expect("invalidates"));
    clock.advance(2 * MINUTE);
    cache.set("last", "one".to_owned(), policy()).wait().expect("stores");
}

/// Each counter of `Stats`, with its name.
fn counters(stats: &Stats) -> [(&'static str, u64); 21] {
    [
        ("hits", stats.hits),
        ("misses", stats.misses),
        ("stale_hits", stats.stale_hits),
        ("loads", stats.loads),
        ("refreshes", stats.refreshes),
        ("load_failures", stats.load_failures),
        ("load_milliseconds", u64::try_from(stats.load_time.as_millis()).expect("not that long")),
        ("slow_loads", stats.slow_loads),
        ("coalesced", stats.coalesced),
        ("fenced", stats.fenced),
        ("writes", stats.writes),
        ("invalidations", stats.invalidations),
        ("errors", stats.errors),
        ("evictions", stats.evictions),
        ("expirations", stats.expirations),
        ("notices_sent", stats.coherence.notices_sent),
        ("notices_received", stats.coherence.notices_received),
        ("gaps", stats.coherence.gaps),
        ("reconnects", stats.coherence.reconnects),
        ("compared", stats.coherence.compared),
        ("disagreed", stats.coherence.disagreed),
    ]
}

fn assert_published(sums: &Sums, stats: &Stats) {
    for (name, count) in counters(stats) {
        let total = sums.of(&format!("larder_{name}_total{{campus}}"));
        assert_eq!(total, Some(count as f64), "{name}");
    }
}

#[test]
fn totals_are_those_of_the_stats() {
    let (sums, clock) = (Sums::default(), ManualClock::new());
    with_local_recorder(&sums, || {
        let cache = larder(&clock, 20);
        assert_published(&sums, &Stats::default());
        work(&cache, &clock);
        let stats = cache.stats();
        let (mut counted, uncounted): (Vec<_>, Vec<_>) =
            counters(&stats).into_iter().take(15).partition(|(_, count)| *count > 0);
        assert_eq!(uncounted, [("refreshes", 0), ("coalesced", 0)], "work counts all the others");
        counted.sort_unstable_by_key(|(_, count)| *count);
        let differ = counted.windows(2).all(|pair| pair[0].1 != pair[1].1);
        assert!(differ, "one could stand for another: {counted:?}");
        assert_published(&sums, &stats);
        assert_eq!(cache.stats(), stats);
        assert_published(&sums, &stats);
        assert_eq!(sums.of("larder_entries{campus}"), Some(stats.entries as f64));
        assert_eq!(sums.of("larder_weight{campus}"), Some(stats.weight as f64));
        assert!(stats.entries > 0 && stats.weight > 0);
        assert_eq!(sums.of("larder_load_seconds{campus} count"), Some(stats.loads as f64));
        let seconds = sums.of("larder_load_seconds{campus}").expect("there were loads");
        assert!((seconds - stats.load_time.as_secs_f64()).abs() < 1e-6, "{seconds} s");
    });
}

/// A store elsewhere, as far as it says how that goes.
struct Elsewhere(Nothing);

impl Cache for Elsewhere {
    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.0.get(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.0.ttl(key)
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        self.0.set(key, value, options)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.0.delete(key)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        self.0.invalidate(target, strength)
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.0.expire(key, ttl)
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.0.incr(key, delta, lifetime)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.0.fence(key)
    }

    fn usage(&self) -> Usage {
        let mut coherence = Coherence::default();
        (coherence.notices_sent, coherence.notices_received) = (1, 2);
        (coherence.gaps, coherence.reconnects) = (3, 4);
        (coherence.compared, coherence.disagreed) = (5, 6);
        coherence.behind = Duration::from_millis(1_007);
        Usage { coherence, ..Usage::default() }
    }
}

#[test]
fn what_a_store_says_of_its_word_is_published() {
    let sums = Sums::default();
    with_local_recorder(&sums, || {
        let cache = Larder::builder().backend(Elsewhere(Nothing)).name("campus").build();
        let stats = cache.stats();
        let counts = counters(&stats).map(|(_, count)| count);
        assert_eq!(counts[15..], [1, 2, 3, 4, 5, 6]);
        assert_published(&sums, &stats);
        assert_eq!(sums.of("larder_behind_milliseconds{campus}"), Some(1_007.0));
    });
    assert_eq!(sums.of("larder_behind_milliseconds{campus}"), Some(0.0), "of a cache that is gone");
}

#[test]
fn the_clock_publishes_each_second() {
    let (sums, clock) = (Sums::default(), ManualClock::new());
    with_local_recorder(&sums, || {
        let cache = larder(&clock, 20);
        let misses = || sums.of("larder_misses_total{campus}");
        for second in 1..=3 {
            cache.get::<String>("nobody").wait().expect("reads");
            clock.advance(Duration::from_millis(990));
            assert_eq!(misses(), Some(f64::from(second - 1)));
            clock.advance(Duration::from_millis(10));
            assert_eq!(misses(), Some(f64::from(second)));
        }
    });
}

#[test]
fn a_cache_that_is_closed_publishes() {
    let (sums, clock) = (Sums::default(), ManualClock::new());
    with_local_recorder(&sums, || {
        let cache = larder(&clock, 20);
        cache.get::<String>("nobody").wait().expect("reads");
        assert_eq!(sums.of("larder_misses_total{campus}"), Some(0.0));
        cache.close(Duration::ZERO).wait().expect("closes");
        assert_eq!(sums.of("larder_misses_total{campus}"), Some(1.0));
    });
}

#[test]
fn a_cache_publishes_what_is_left_when_it_goes() {
    let (sums, clock) = (Sums::default(), ManualClock::new());
    with_local_recorder(&sums, || {
        for _ in 0..2 {
            let cache = larder(&clock, 20);
            cache.set("name", "Lakeside".to_owned(), MINUTE).wait().expect("stores");
            cache.get::<String>("name").wait().expect("reads");
        }
    });
    let (writes, hits) = (sums.of("larder_writes_total{campus}"), sums.of("larder_hits_total{campus}"));
    assert_eq!((writes, hits), (Some(2.0), Some(2.0)), "caches of one name add up");
    assert_eq!(sums.of("larder_entries{campus}"), Some(0.0));
}

#[test]
fn nothing_is_published_twice_whoever_publishes_at_once() {
    let (sums, clock) = (Sums::default(), ManualClock::new());
    let cache = with_local_recorder(&sums, || larder(&clock, 20));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                with_local_recorder(&sums, || {
                    for _ in 0..500 {
                        cache.get::<String>("nobody").wait().expect("reads");
                        cache.stats();
                    }
                });
            });
        }
    });
    assert_eq!(cache.stats().misses, 2000);
    assert_eq!(sums.of("larder_misses_total{campus}"), Some(2000.0));
}

#[test]
fn a_cache_is_called_by_its_namespace_unless_it_has_a_name() {
    let name = |builder: larder::LarderBuilder| builder.build().name().to_owned();
    assert_eq!(name(Larder::builder()), "default");
    assert_eq!(name(Larder::builder().namespace("campus")), "campus");
    assert_eq!(name(Larder::builder().namespace("campus").name("front")), "front");
}
