//! Models of loads: shuttle decides at each lock and atomic of flights which thread goes on, some thousand times over.
//! `RUSTFLAGS="--cfg shuttle" cargo test -p cache-core --test shuttle`; CONTRIBUTING.md says more.
#![cfg(shuttle)]

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use cache_core::private::{Writer, block_on};
use cache_core::testing::Plain;
use cache_core::{Engine, Loaded, ManualClock, Policy};
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;

const KEY: &str = "k:1";

/// `LARDER_MODELS` times as many schedules as usual, by chance and with a few forced turns at bad moments.
fn explore(model: impl Fn() + Copy + Send + Sync + 'static) {
    let times = std::env::var("LARDER_MODELS").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    shuttle::check_random(model, 1_000 * times);
    shuttle::check_pct(model, 1_000 * times, 3);
}

fn engine() -> Engine {
    let clock = ManualClock::new();
    let plain = Arc::new(Plain::new(clock.clock()));
    Engine::builder().clock(clock.clock()).build(plain)
}

fn policy() -> Policy {
    Policy::ttl(Duration::from_secs(60)).tags(["tag"])
}

/// G5: whoever asks gets the one value that was loaded.
#[test]
fn one_load_for_all_who_ask() {
    explore(|| {
        let (cache, loads) = (engine(), Arc::new(AtomicU64::new(0)));
        let callers = [(); 3].map(|()| {
            let (cache, loads) = (cache.clone(), loads.clone());
            thread::spawn(move || {
                let load = || loads.fetch_add(1, Ordering::SeqCst);
                *cache.get_or_compute(KEY, policy().in_caller(), load)
            })
        });
        for caller in callers {
            assert_eq!(caller.join().expect("no panic"), 0);
        }
        assert_eq!(loads.load(Ordering::SeqCst), 1);
        assert_eq!(cache.stats().fenced, 0);
    });
}

/// An async leader that is dropped in flight: those who follow it lead in its place, once, and nobody waits for ever.
#[test]
fn a_cancelled_leader_loses_nobody() {
    explore(|| {
        let (cache, loads) = (engine(), Arc::new(AtomicU64::new(0)));
        let leading = cache.clone();
        let cancelled = thread::spawn(move || {
            let mut load = pin!(leading.get_or_load(KEY, policy().in_caller(), pending::<u64>));
            // It may find the value of the others, or follow one of them.
            let _ = load.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        });
        let callers = [(); 2].map(|()| {
            let (cache, loads) = (cache.clone(), loads.clone());
            thread::spawn(move || {
                let load = || loads.fetch_add(1, Ordering::SeqCst);
                *cache.get_or_compute(KEY, policy().in_caller(), load)
            })
        });
        cancelled.join().expect("no panic");
        let loaded = callers.map(|caller| caller.join().expect("no panic"));
        // A few may load beside each other after a leader was lost; but never more than ask.
        let loads = loads.load(Ordering::SeqCst);
        assert!((1..=2).contains(&loads) && loaded.iter().all(|value| *value < loads), "{loads}: {loaded:?}");
        assert!(cache.get::<u64>(KEY).wait().expect("readable").is_some());
    });
}

/// A failed load gives its error to those who followed it, or they load; nobody is left waiting.
#[test]
fn a_failed_leader_loses_nobody() {
    explore(|| {
        let (cache, loads) = (engine(), Arc::new(AtomicU64::new(0)));
        let callers = [(); 3].map(|()| {
            let (cache, loads) = (cache.clone(), loads.clone());
            thread::spawn(move || {
                let load = || match loads.fetch_add(1, Ordering::SeqCst) {
                    0 => Err("down"),
                    load => Ok(load),
                };
                cache.try_get_or_compute(KEY, policy().in_caller(), load).map(|value| *value)
            })
        });
        let loaded = callers.map(|caller| caller.join().expect("no panic"));
        assert!(loaded.iter().filter(|loaded| loaded.is_err()).count() == 1, "{loaded:?}");
    });
}

/// A leader that panics: its own caller sees the panic, those who follow it load in its place, and nobody waits for
/// ever. The flight and its fence are given up, so that the value is there in the end.
#[test]
fn a_panicking_leader_loses_nobody() {
    explore(|| {
        let (cache, loads) = (engine(), Arc::new(AtomicU64::new(0)));
        let callers = [(); 3].map(|()| {
            let (cache, loads) = (cache.clone(), loads.clone());
            thread::spawn(move || {
                let load = || match loads.fetch_add(1, Ordering::SeqCst) {
                    // Without the hook, which would print a schedule for each.
                    0 => resume_unwind(Box::new("as the model wants")),
                    load => load,
                };
                let get = || *cache.get_or_compute(KEY, policy().in_caller(), load);
                catch_unwind(AssertUnwindSafe(get)).ok()
            })
        });
        let loaded = callers.map(|caller| caller.join().expect("the panic was caught"));
        let loads = loads.load(Ordering::SeqCst);
        assert_eq!(loaded.iter().filter(|loaded| loaded.is_none()).count(), 1, "{loaded:?}");
        assert!(loaded.iter().flatten().all(|value| (1..loads).contains(value)), "{loads}: {loaded:?}");
        assert!(cache.get::<u64>(KEY).wait().expect("readable").is_some());
        let stats = cache.stats();
        assert_eq!((stats.loads, stats.load_failures), (loads, 1));
        assert_eq!(cache.health().wait().expect("told").in_flight, 0);
    });
}

type Change = fn(&Engine);

/// G1: who asks after the change neither finds, nor joins, a load from before it.
fn a_change_against_loads(change: Change) {
    explore(move || {
        let (cache, truth) = (engine(), Arc::new(AtomicU64::new(0)));
        let load = |cache: &Engine, truth: &AtomicU64| {
            *cache.get_or_compute(KEY, policy().in_caller(), || truth.load(Ordering::SeqCst))
        };
        let callers = [(); 2].map(|()| {
            let (cache, truth) = (cache.clone(), truth.clone());
            thread::spawn(move || load(&cache, &truth))
        });
        truth.store(1, Ordering::SeqCst);
        change(&cache);
        assert_eq!(load(&cache, &truth), 1, "after the change");
        for caller in callers {
            caller.join().expect("no panic");
        }
        assert_eq!(load(&cache, &truth), 1, "in the end");
    });
}

#[test]
fn invalidate_against_loads() {
    a_change_against_loads(|cache| cache.invalidate(KEY).wait().expect("invalidated"));
}

#[test]
fn a_tag_against_loads() {
    a_change_against_loads(|cache| cache.invalidate_tag("tag").wait().expect("invalidated"));
}

#[test]
fn a_pattern_against_loads() {
    a_change_against_loads(|cache| cache.invalidate_pattern("k:*").wait().expect("invalidated"));
}

#[test]
fn clear_against_loads() {
    a_change_against_loads(|cache| cache.clear().wait().expect("cleared"));
}

/// Two who write one row: what an update leaves in the cache is never the older value, whatever comes between its two looks
/// at what others change.
#[test]
fn an_update_against_an_invalidation() {
    explore(|| {
        let (cache, row) = (engine(), Arc::new(AtomicU64::new(0)));
        let (updating, written) = (cache.clone(), row.clone());
        let update = thread::spawn(move || {
            let mut writer = Writer::new();
            writer.rule(&updating, false, false);
            writer.update(0, Some(KEY));
            written.store(1, Ordering::SeqCst);
            writer.store(0, KEY, Loaded::new(1_u64), policy().into());
            assert!(block_on(writer.finish(true)).is_none());
        });
        row.store(2, Ordering::SeqCst);
        cache.invalidate(KEY).wait().expect("invalidated");
        update.join().expect("no panic");
        let cached = cache.get::<u64>(KEY).wait().expect("readable");
        assert!(cached.is_none_or(|cached| *cached == row.load(Ordering::SeqCst)));
    });
}
