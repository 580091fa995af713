//! Keeps larder under mixed load for minutes, and says whether it stayed true and flat.

use std::alloc::System;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use larder::Larder;
use larder_benches::arguments::parse;
use larder_benches::soak::{Flatness, Sample, Tally, Truth, Worker};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const USAGE: &str = "\
usage: soak [--minutes N] [--seconds N] [--threads N] [--keys N] [--capacity N] [--growth PERCENT] [--leak BYTES]

Mixed load on N threads (default 4) over N keys (default 400 000, one in ten of them busy; capacity 50 000): reads, loads,
loads that fail, writes with TTLs from 50 ms to 3 s, counters, invalidations by key, tag and pattern, mark_stale, expire. Every
value is held against what was invalidated before its read began. Prints a line every 5 seconds for N minutes (default 2).

It fails if anything stale was read, or a counter was wrong, or memory was not flat:
- live bytes (allocated, not given back): the peak of the last third is over that of the middle third by more than PERCENT
  (default 5);
- resident memory is ever more than twice the peak of live bytes, beyond what was resident before the load (it has holes:
  each thread has a heap of its own, and a table given back in one is taken again in another);
- after the load: the cleared cache holds more than 1 MiB, or the dropped cache has left more than 64 KiB behind.

With --leak it forgets so many bytes ten times a second, to see that it fails.";

const EVERY: Duration = Duration::from_secs(5);
/// Not in step with the sweep, which comes every 500 ms.
const SAMPLE: Duration = Duration::from_millis(97);
/// After this the sweep has been through everything twice.
const SWEPT: Duration = Duration::from_millis(1500);
/// Resident memory may be so many times the live peak.
const RESIDENT: usize = 2;
/// What a cleared cache may hold: it keeps the tables of flights, throttled keys and tags, and small ones of each shard.
const CLEARED: isize = 1 << 20;
/// What may outlive a cache: the clock and its thread are the process's.
const DROPPED: isize = 64 << 10;

fn main() -> ExitCode {
    let (mut minutes, mut seconds, mut threads) = (2, 0, 4);
    let (mut keys, mut capacity, mut growth, mut leak) = (400_000, 50_000, 5, 0);
    let options = &mut [
        ("--minutes", &mut minutes),
        ("--seconds", &mut seconds),
        ("--threads", &mut threads),
        ("--keys", &mut keys),
        ("--capacity", &mut capacity),
        ("--growth", &mut growth),
        ("--leak", &mut leak),
    ];
    if !parse(USAGE, options) {
        return ExitCode::FAILURE;
    }
    let time = Duration::from_secs(if seconds > 0 { seconds } else { minutes * 60 } as u64);
    let (truth, tally) = (Truth::new(keys), Tally::default());
    let (stop, before) = (AtomicBool::new(false), sample());
    let cache = Larder::memory(capacity);
    let memory = thread::scope(|scope| {
        for number in 0..threads as u64 {
            let worker = Worker::new(&cache, &truth, &tally, number);
            let stop = &stop;
            scope.spawn(move || worker.run(stop));
        }
        let memory = watch(&cache, &tally, time, leak);
        stop.store(true, Ordering::Relaxed);
        memory
    });
    let left = Left::behind(cache, before, memory.size());
    let (sound, flat) = (is_sound(&tally), is_flat(&memory, before, growth as f64));
    let good = sound & flat & left.is_little();
    println!("{}", if good { "GOOD" } else { "FAILED" });
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn sample() -> Sample {
    Sample::now(ALLOCATOR.stats())
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn watch(cache: &Larder, tally: &Tally, time: Duration, leak: usize) -> Flatness {
    println!(
        "| seconds | live, MiB | allocations | RSS, MiB | entries | operations/s | hit ratio | evicted | expired | fenced | stale reads |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let (began, mut before, mut printed) = (Instant::now(), 0, Instant::now());
    let mut memory = Flatness::default();
    while began.elapsed() < time {
        thread::sleep(SAMPLE.min(time - began.elapsed().min(time)));
        std::mem::forget(vec![1_u8; leak]);
        let sample = sample();
        memory.add(sample);
        if printed.elapsed() < EVERY && began.elapsed() < time {
            continue;
        }
        let stats = cache.stats();
        let operations = tally.operations.load(Ordering::Relaxed);
        println!(
            "| {:.0} | {:.1} | {} | {:.1} | {} | {:.0} | {:.3} | {} | {} | {} | {} |",
            began.elapsed().as_secs_f64(),
            mib(sample.live),
            sample.allocations,
            mib(sample.resident),
            stats.entries,
            (operations - before) as f64 / printed.elapsed().as_secs_f64(),
            stats.hit_ratio(),
            stats.evictions,
            stats.expirations,
            stats.fenced,
            tally.stale.load(Ordering::Relaxed),
        );
        (before, printed) = (operations, Instant::now());
    }
    memory
}

/// What is still live when the load is over, beyond what was before it.
struct Left {
    cleared: isize,
    dropped: isize,
}

impl Left {
    /// `own` is what this program itself has allocated meanwhile.
    fn behind(cache: Larder, before: Sample, own: usize) -> Self {
        let more = || sample().live as isize - (before.live + own) as isize;
        cache.clear().wait().expect("memory answers");
        thread::sleep(SWEPT);
        let cleared = more();
        drop(cache);
        thread::sleep(SWEPT);
        Self { cleared, dropped: more() }
    }

    fn is_little(&self) -> bool {
        let Self { cleared, dropped } = self;
        println!(
            "live bytes beyond those before the load: {cleared} in the cleared cache (allowed: {CLEARED}), \
             {dropped} when it was dropped (allowed: {DROPPED})"
        );
        *cleared <= CLEARED && *dropped <= DROPPED
    }
}

fn is_sound(tally: &Tally) -> bool {
    let [operations, checked, stale, failures, miscounted] =
        [&tally.operations, &tally.checked, &tally.stale, &tally.failures, &tally.miscounted]
            .map(|count| count.load(Ordering::Relaxed));
    println!(
        "\n{operations} operations, {checked} values checked, {failures} loads failed on purpose\n\
         stale reads: {stale}\nwrong counters: {miscounted}"
    );
    stale == 0 && miscounted == 0 && checked > 0
}

fn is_flat(memory: &Flatness, before: Sample, allowed: f64) -> bool {
    let Some(growth) = memory.growth() else {
        println!("memory: too few samples; let it run longer");
        return false;
    };
    let (live, resident) = memory.peaks();
    let most = before.resident + RESIDENT * live;
    println!(
        "live bytes, peak of the last third beside that of the middle third: {growth:+.2} % (allowed: +{allowed} %)\n\
         resident memory at most: {:.1} MiB (allowed: {:.1}, which is {RESIDENT} times the live peak of {:.1} and the {:.1} \
         before the load)",
        mib(resident),
        mib(most),
        mib(live),
        mib(before.resident)
    );
    growth <= allowed && resident <= most
}
