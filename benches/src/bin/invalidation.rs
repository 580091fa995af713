//! Prints what it costs to invalidate by pattern, tag or predicate, and what hits cost afterwards.

use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use larder::{Larder, Policy};
use larder_benches::arguments::parse;
use larder_benches::samples::{Samples, readable};

const USAGE: &str = "\
usage: invalidation [--rounds N] [--patterns N] [--entries N]

Times calls that invalidate about a thousandth of 1000 and of 1 000 000 entries by pattern, tag or predicate, in N rounds
(default 21) of a few calls of each library; then hits before and after N (default 10 000) patterns that differ, over so
many entries (default 10 000), and how long they take to cost what they did.";

const SOUND: &str = "memory answers";
/// In one turn.
const CALLS: usize = 8;
const TTL: Duration = Duration::from_secs(3600);

type Set = Box<dyn Fn(&str, u64)>;

/// A cache of so many entries, and how a thousandth of them is invalidated, each thousandth by its number.
struct Subject {
    name: &'static str,
    get: Box<dyn Fn(&str) -> bool>,
    set: Set,
    invalidate: Box<dyn Fn(usize)>,
}

fn key(number: usize) -> String {
    format!("group:{:04}:{number:07}", number % 1000)
}

fn larder(name: &'static str, entries: usize, by_tag: bool) -> Subject {
    let cache = Larder::memory(entries * 2);
    let (reader, writer) = (cache.clone(), cache.clone());
    Subject {
        name,
        get: Box::new(move |key| reader.get::<u64>(key).wait().expect(SOUND).is_some()),
        set: Box::new(move |key, value| {
            // Its group is its tag.
            let policy = if by_tag { Policy::ttl(TTL).tags([&key[..10]]) } else { Policy::ttl(TTL) };
            writer.set(key, value, policy).wait().expect(SOUND);
        }),
        invalidate: Box::new(move |group| {
            let reply = if by_tag {
                cache.invalidate_tag(format!("group:{group:04}"))
            } else {
                cache.invalidate_pattern(format!("group:{group:04}:*"))
            };
            reply.wait().expect(SOUND);
        }),
    }
}

fn moka(entries: usize) -> Subject {
    let cache = moka::sync::Cache::builder()
        .max_capacity(entries as u64 * 2)
        .time_to_live(TTL)
        .support_invalidation_closures()
        .build();
    let cache: moka::sync::Cache<String, Arc<u64>> = cache;
    let (reader, writer) = (cache.clone(), cache.clone());
    Subject {
        name: "moka, `invalidate_entries_if`",
        get: Box::new(move |key| reader.get(key).is_some()),
        set: Box::new(move |key, value| writer.insert(key.to_owned(), Arc::new(value))),
        invalidate: Box::new(move |group| {
            let prefix = format!("group:{group:04}:");
            cache
                .invalidate_entries_if(move |key, _| key.starts_with(&prefix))
                .expect("it supports closures");
        }),
    }
}

fn quick_cache(entries: usize) -> Subject {
    let cache: Arc<quick_cache::sync::Cache<String, Arc<u64>>> =
        Arc::new(quick_cache::sync::Cache::new(entries * 2));
    let (reader, writer) = (cache.clone(), cache.clone());
    Subject {
        name: "quick_cache, `retain`",
        get: Box::new(move |key| reader.get(key).is_some()),
        set: Box::new(move |key, value| writer.insert(key.to_owned(), Arc::new(value))),
        invalidate: Box::new(move |group| {
            let prefix = format!("group:{group:04}:");
            cache.retain(|key, _| !key.starts_with(&prefix));
        }),
    }
}

fn subjects(entries: usize) -> Vec<Subject> {
    let subjects = vec![
        larder("larder, `invalidate_pattern`", entries, false),
        larder("larder, `invalidate_tag`", entries, true),
        moka(entries),
        quick_cache(entries),
    ];
    for subject in &subjects {
        (0..entries).for_each(|number| (subject.set)(&key(number), number as u64));
    }
    subjects
}

/// The median time of a call, over caches of so many entries.
fn calls(entries: usize, rounds: usize) -> Vec<(&'static str, u32, u32)> {
    let subjects = subjects(entries);
    let mut times = vec![Samples::default(); subjects.len()];
    for round in 0..rounds {
        for (subject, times) in subjects.iter().zip(&mut times) {
            turn(subject, round, times);
        }
    }
    let sorted = times.into_iter().map(Samples::sorted);
    subjects.iter().zip(sorted).map(|(subject, times)| (subject.name, times.at(0.5), times.at(1.0))).collect()
}

/// A few calls in a row, fewer where they take long. The first is not counted: others have used the processor's caches.
fn turn(subject: &Subject, round: usize, times: &mut Samples) {
    let turn = Instant::now();
    for call in 0..CALLS {
        let began = Instant::now();
        (subject.invalidate)((round * CALLS + call) % 1000);
        if call > 0 {
            times.add(began.elapsed());
        }
        if call > 0 && turn.elapsed() > Duration::from_millis(20) {
            break;
        }
    }
}

/// One look at the hits.
const WINDOW: Duration = Duration::from_millis(10);
/// How long hits are given to come back to what they cost.
const PATIENCE: Duration = Duration::from_secs(3);

/// Nanoseconds per hit over all keys again and again, for one window or one key.
fn hits(subject: &Subject, keys: &[String]) -> f64 {
    let (began, mut done) = (Instant::now(), 0);
    for key in keys.iter().cycle() {
        black_box((subject.get)(key));
        done += 1;
        // The clock is asked seldom, but for hits that take long.
        if (done % 16 == 0 || done < 16) && began.elapsed() >= WINDOW {
            break;
        }
    }
    began.elapsed().as_nanos() as f64 / f64::from(done)
}

/// The median of a few windows.
fn usual(subject: &Subject, keys: &[String]) -> f64 {
    let mut windows: Vec<f64> = (0..15).map(|_| hits(subject, keys)).collect();
    windows.sort_unstable_by(f64::total_cmp);
    windows[windows.len() / 2]
}

fn after_many(patterns: usize, entries: usize) {
    println!(
        "| {entries} entries, {patterns} invalidations of nothing | per call | ns per hit before | right after | ratio | within 1.2 times again after |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    let keys: Vec<String> = (0..entries).map(key).collect();
    for subject in subjects(entries) {
        let before = usual(&subject, &keys);
        let began = Instant::now();
        // Groups that nobody is in.
        (0..patterns).for_each(|pattern| (subject.invalidate)(1000 + pattern));
        let per_call = began.elapsed() / patterns as u32;
        let called = Instant::now();
        let after = hits(&subject, &keys);
        let mut now = after;
        while now > before * 1.2 && called.elapsed() < PATIENCE {
            now = hits(&subject, &keys);
        }
        let again = if now > before * 1.2 {
            format!("not within {} s", PATIENCE.as_secs())
        } else if called.elapsed() < WINDOW * 3 / 2 {
            "at once".to_owned()
        } else {
            format!("{:.2} s", called.elapsed().as_secs_f64())
        };
        let per_call = readable(u32::try_from(per_call.as_nanos()).unwrap_or(u32::MAX));
        println!(
            "| {} | {per_call} | {before:.0} | {after:.0} | {:.2} | {again} |",
            subject.name,
            after / before
        );
    }
}

fn main() -> ExitCode {
    let (mut rounds, mut patterns, mut entries) = (21, 10_000, 10_000);
    if !parse(
        USAGE,
        &mut [("--rounds", &mut rounds), ("--patterns", &mut patterns), ("--entries", &mut entries)],
    ) {
        return ExitCode::FAILURE;
    }
    // First: dropping a million entries keeps moka's threads busy for a while.
    after_many(patterns, entries);
    println!();
    let (few, many) = (calls(1000, rounds), calls(1_000_000, rounds));
    println!(
        "| one call | 1000 entries: median | worst | 1 000 000 entries: median | worst | ratio of medians |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for ((name, few, few_worst), (_, many, many_worst)) in few.into_iter().zip(many) {
        let ratio = f64::from(many) / f64::from(few.max(1));
        let [few, few_worst, many, many_worst] = [few, few_worst, many, many_worst].map(readable);
        println!("| {name} | {few} | {few_worst} | {many} | {many_worst} | {ratio:.1} |");
    }
    ExitCode::SUCCESS
}
