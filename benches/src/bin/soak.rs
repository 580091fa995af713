//! Keeps larder under mixed load for minutes, and says whether it stayed true and flat.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use larder::Larder;
use larder_benches::arguments::parse;
use larder_benches::soak::{Flatness, Tally, Truth, Worker, resident_kb};

const USAGE: &str = "\
usage: soak [--minutes N] [--seconds N] [--threads N] [--keys N] [--capacity N] [--growth PERCENT]

Mixed load on N threads (default 4) over N keys (default 400 000, one in ten of them busy; capacity 50 000): reads, loads,
loads that fail, writes with TTLs from 50 ms to 3 s, counters, invalidations by key, tag and pattern, mark_stale, expire. Every
value is held against what was invalidated before its read began. Prints a line every 5 seconds for N minutes (default 2),
and fails if anything stale was read, a counter was wrong, or the last third took more than PERCENT (default 5) more memory than
the middle third.";

const EVERY: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let (mut minutes, mut seconds, mut threads) = (2, 0, 4);
    let (mut keys, mut capacity, mut growth) = (400_000, 50_000, 5);
    let options = &mut [
        ("--minutes", &mut minutes),
        ("--seconds", &mut seconds),
        ("--threads", &mut threads),
        ("--keys", &mut keys),
        ("--capacity", &mut capacity),
        ("--growth", &mut growth),
    ];
    if !parse(USAGE, options) {
        return ExitCode::FAILURE;
    }
    let time = Duration::from_secs(if seconds > 0 { seconds } else { minutes * 60 } as u64);
    let (cache, truth, tally) = (Larder::memory(capacity), Truth::new(keys), Tally::default());
    let (stop, mut memory) = (AtomicBool::new(false), Flatness::default());
    thread::scope(|scope| {
        for number in 0..threads as u64 {
            let worker = Worker::new(&cache, &truth, &tally, number);
            let stop = &stop;
            scope.spawn(move || worker.run(stop));
        }
        watch(&cache, &tally, time, &mut memory);
        stop.store(true, Ordering::Relaxed);
    });
    verdict(&tally, &memory, growth)
}

fn watch(cache: &Larder, tally: &Tally, time: Duration, memory: &mut Flatness) {
    println!(
        "| seconds | RSS, MB | entries | operations/s | hit ratio | evicted | expired | fenced | stale reads |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let (began, mut before, mut printed) = (Instant::now(), 0, Instant::now());
    while began.elapsed() < time {
        thread::sleep(Duration::from_millis(500).min(time - began.elapsed().min(time)));
        memory.add(resident_kb());
        if printed.elapsed() < EVERY && began.elapsed() < time {
            continue;
        }
        let stats = cache.stats();
        let operations = tally.operations.load(Ordering::Relaxed);
        println!(
            "| {:.0} | {:.1} | {} | {:.0} | {:.3} | {} | {} | {} | {} |",
            began.elapsed().as_secs_f64(),
            resident_kb() as f64 / 1024.0,
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
}

fn verdict(tally: &Tally, memory: &Flatness, allowed: usize) -> ExitCode {
    let [operations, checked, stale, failures, miscounted] =
        [&tally.operations, &tally.checked, &tally.stale, &tally.failures, &tally.miscounted]
            .map(|count| count.load(Ordering::Relaxed));
    println!(
        "\n{operations} operations, {checked} values checked, {failures} loads failed on purpose\n\
         stale reads: {stale}\nwrong counters: {miscounted}"
    );
    let growth = memory.growth();
    match growth {
        Some(growth) => {
            println!("memory, last third to middle third: {growth:+.2} % (allowed: +{allowed} %)")
        }
        None => println!("memory: too few samples; let it run longer"),
    }
    let good =
        stale == 0 && miscounted == 0 && checked > 0 && growth.is_some_and(|growth| growth <= allowed as f64);
    println!("{}", if good { "GOOD" } else { "FAILED" });
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
