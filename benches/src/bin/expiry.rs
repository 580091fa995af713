//! Prints what happens when many entries expire at once and nobody reads them.

use std::alloc::System;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cached::ShardedLruTtlCache;
use larder::Larder;
use larder_benches::arguments::parse;
use larder_benches::contender::Profile;
use larder_benches::samples::{Samples, Sorted, readable};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const USAGE: &str = "\
usage: expiry [--entries N]

Stores N entries (default 1 000 000) that expire within a few seconds, and a thousand that do not. A reader hits the thousand,
once every 50 µs. Prints how long after the last entry's end what will be given back within 10 s is given back, the
processor time that the process used from the first end until those 10 s are over, and its share of one processor beside that while nothing expires, and
the reader's latencies in both.";

/// What is stored expires so long after it.
const TTL: Duration = Duration::from_secs(8);
const LONG: Duration = Duration::from_secs(3600);
/// How long memory is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

type Set = Box<dyn Fn(&str, Arc<Profile>)>;

/// A cache whose entries expire, and one entry of which does not where it can tell them apart.
struct Subject {
    name: &'static str,
    set: Set,
    keep: Set,
    get: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

fn larder(capacity: usize) -> Subject {
    let cache = Larder::memory(capacity);
    let (expiring, kept, read) = (cache.clone(), cache.clone(), cache);
    let set = |cache: &Larder, key: &str, value, ttl: Duration| {
        cache.set_shared(key, value, ttl).wait().expect("memory answers");
    };
    Subject {
        name: "larder",
        set: Box::new(move |key, value| set(&expiring, key, value, TTL)),
        keep: Box::new(move |key, value| set(&kept, key, value, LONG)),
        get: Arc::new(move |key| read.get::<Profile>(key).wait().expect("memory answers").is_some()),
    }
}

fn moka(capacity: usize) -> Subject {
    let cache: moka::sync::Cache<String, (Arc<Profile>, Duration)> =
        moka::sync::Cache::builder().max_capacity(capacity as u64).expire_after(OfItsOwn).build();
    let (expiring, kept, read) = (cache.clone(), cache.clone(), cache);
    Subject {
        name: "moka, `Expiry`, with a reader",
        set: Box::new(move |key, value| expiring.insert(key.to_owned(), (value, TTL))),
        keep: Box::new(move |key, value| kept.insert(key.to_owned(), (value, LONG))),
        get: Arc::new(move |key| read.get(key).is_some()),
    }
}

struct OfItsOwn;

impl moka::Expiry<String, (Arc<Profile>, Duration)> for OfItsOwn {
    fn expire_after_create(
        &self,
        _: &String,
        value: &(Arc<Profile>, Duration),
        _: Instant,
    ) -> Option<Duration> {
        Some(value.1)
    }
}

/// It has one TTL for all, so the thousand live in a store of their own.
fn cached(capacity: usize) -> Subject {
    let expiring = ShardedLruTtlCache::<String, Arc<Profile>>::new(capacity * 2, TTL);
    let kept = Arc::new(ShardedLruTtlCache::<String, Arc<Profile>>::new(4000, LONG));
    let read = kept.clone();
    Subject {
        name: "cached (sharded LRU+TTL)",
        set: Box::new(move |key, value| drop(expiring.set(key.to_owned(), value))),
        keep: Box::new(move |key, value| drop(kept.set(key.to_owned(), value))),
        get: Arc::new(move |key| read.get(key).is_some()),
    }
}

fn kept_key(number: usize) -> String {
    format!("kept:{number:07}:prof")
}

/// Processor time of this process, as the kernel counts it: in hundredths of a second.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok());
    Duration::from_millis(10 * ticks.sum::<u64>())
}

fn live(region: &Region<'_, System>) -> f64 {
    let stats = region.change();
    stats.bytes_allocated as f64 - stats.bytes_deallocated as f64
}

/// Hits the thousand until told to stop.
fn reader(get: Arc<dyn Fn(&str) -> bool + Send + Sync>, stop: Arc<AtomicBool>) -> thread::JoinHandle<Sorted> {
    thread::spawn(move || {
        let keys: Vec<String> = (0..1000).map(kept_key).collect();
        let mut samples = Samples::default();
        for key in keys.iter().cycle() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let began = Instant::now();
            assert!(get(key), "{key} has no end and is gone");
            samples.add(began.elapsed());
            thread::sleep(Duration::from_micros(50));
        }
        samples.sorted()
    })
}

/// The reader's latencies and the processor time while `meanwhile` runs.
fn observed<R>(subject: &Subject, meanwhile: impl FnOnce() -> R) -> (R, Sorted, Duration) {
    let stop = Arc::new(AtomicBool::new(false));
    let reader = reader(subject.get.clone(), stop.clone());
    let before = processor_time();
    let result = meanwhile();
    let used = processor_time() - before;
    stop.store(true, Ordering::Relaxed);
    (result, reader.join().expect("the reader panicked"), used)
}

fn row(make: fn(usize) -> Subject, entries: usize) {
    let region = Region::new(ALLOCATOR);
    let subject = make(entries + 2000);
    let filling = Instant::now();
    for number in 0..entries {
        (subject.set)(&format!("user:{number:07}:prof"), Arc::new(Profile::new(number as u64)));
    }
    (0..1000).for_each(|number| (subject.keep)(&kept_key(number), Arc::new(Profile::new(7))));
    let (full, last_set) = (live(&region), Instant::now());
    let (first_end, last_end) = (filling + TTL, last_set + TTL);
    let fill = last_set - filling;

    // Nothing expires yet: for as long as there is time.
    let quiet =
        first_end.saturating_duration_since(Instant::now()).saturating_sub(Duration::from_millis(300));
    let ((), calm, calm_used) = observed(&subject, || thread::sleep(quiet));
    thread::sleep(first_end.saturating_duration_since(Instant::now()));
    let began = Instant::now();
    let (memory, busy, busy_used) = observed(&subject, || {
        let mut memory = Vec::new();
        while Instant::now() < last_end + PATIENCE {
            memory.push((Instant::now().saturating_duration_since(last_end), live(&region)));
            thread::sleep(Duration::from_millis(5));
        }
        memory
    });
    let least = memory.iter().map(|(_, bytes)| *bytes).fold(f64::MAX, f64::min);
    // When it was as low as it gets, but for a fiftieth.
    let settled = memory.iter().find(|(_, bytes)| *bytes <= least + full / 50.0).map(|(after, _)| *after);
    let given_back = if least < full * 0.98 { settled } else { None };
    let rate = |used: Duration, over: Duration| 100.0 * used.as_secs_f64() / over.as_secs_f64().max(0.01);
    println!(
        "| {} | {:.1} s | {} | {:.0} → {:.0} MB | {:.2} s ({:.0} %) | {:.0} % | {} / {} / {} | {} / {} / {} |",
        subject.name,
        fill.as_secs_f64(),
        given_back.map_or(format!("nothing within {} s", PATIENCE.as_secs()), |after| format!(
            "{:.2} s",
            after.as_secs_f64()
        )),
        full / 1e6,
        least / 1e6,
        busy_used.as_secs_f64(),
        rate(busy_used, began.elapsed()),
        rate(calm_used, quiet),
        readable(busy.at(0.5)),
        readable(busy.at(0.999)),
        readable(busy.at(1.0)),
        readable(calm.at(0.5)),
        readable(calm.at(0.999)),
        readable(calm.at(1.0)),
    );
}

fn main() -> ExitCode {
    let mut entries = 1_000_000;
    if !parse(USAGE, &mut [("--entries", &mut entries)]) {
        return ExitCode::FAILURE;
    }
    println!(
        "| {entries} entries | filled in | given back after the last end | memory before → after | processor time (share of one) | share, nothing expires | a hit meanwhile: p50 / p99.9 / worst | nothing expires |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    row(larder, entries);
    row(moka, entries);
    row(cached, entries);
    ExitCode::SUCCESS
}
