//! Prints bytes per entry, and allocations per operation.

use std::alloc::System;
use std::process::ExitCode;
use std::time::Duration;

use larder_benches::arguments::parse;
use larder_benches::contender::{Contender, Profile};
use larder_benches::contenders::{Cached, Dashmap, Foyer, LarderAwait, LarderWait, Moka, QuickCache};
use larder_benches::workload::Stream;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const USAGE: &str = "\
usage: memory [--entries N]

Fills each cache, built for N entries (default 100 000), with N keys of 17 bytes and an Arc<Profile> each (the Arc's 48
bytes included), and prints what it allocated, by entry that it then holds; and allocations per operation.";

fn held(region: &Region<'_, System>) -> isize {
    let stats = region.change();
    stats.bytes_allocated as isize - stats.bytes_deallocated as isize
}

fn row<C: Contender>(make: impl FnOnce() -> C, keys: &[&str]) {
    let region = Region::new(ALLOCATOR);
    let cache = make();
    let empty = held(&region);
    let inserting = Region::new(ALLOCATOR);
    for (id, key) in (0..).zip(keys) {
        cache.insert(key, Profile::new(id));
    }
    let per_insert = inserting.change().allocations as f64 / keys.len() as f64;
    // Reads make those that work in batches get on with it.
    std::thread::sleep(Duration::from_millis(600));
    let hitting = Region::new(ALLOCATOR);
    let misses = cache.get_each(keys).misses as usize;
    let per_hit = hitting.change().allocations as f64 / keys.len() as f64;
    let entries = keys.len() - misses;
    let full = held(&region);
    let per_entry = full as f64 / entries as f64;
    println!(
        "| {} | {entries} | {empty} | {full} | {per_entry:.0} | {per_insert:.2} | {per_hit:.2} |",
        cache.name()
    );
}

fn main() -> ExitCode {
    let mut entries = 100_000;
    if !parse(USAGE, &mut [("--entries", &mut entries)]) {
        return ExitCode::FAILURE;
    }
    let stream = Stream::zipf(entries as u32, 0);
    let keys: Vec<&str> = stream.keys().collect();
    println!(
        "| | entries held | bytes, empty | bytes, full | bytes per entry | allocations per insert | per hit |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    row(|| QuickCache::new(entries), &keys);
    row(Dashmap::new, &keys);
    row(|| Cached::new(entries), &keys);
    row(|| Moka::new(entries), &keys);
    row(|| Foyer::new(entries), &keys);
    row(|| LarderWait::new(entries), &keys);
    row(|| LarderWait::tagged(entries), &keys);
    row(|| LarderWait::namespaced(entries), &keys);
    row(|| LarderAwait::new(entries), &keys);
    ExitCode::SUCCESS
}
