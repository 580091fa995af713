//! Prints what it costs to wait for another caller's load.

use std::alloc::System;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use larder::Larder;
use larder_benches::arguments::parse;
use larder_benches::contender::Profile;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const USAGE: &str = "\
usage: stampede [--callers N] [--rounds N]

N tasks (default 1000) ask for one missing key at once; the load ends when all of them have asked. Prints the time and the
allocations of a round by caller, the tasks' own included (the first row is tasks that wait for a tokio channel), as the
median of N rounds (default 51, one of each library in turn).";

const TTL: Duration = Duration::from_secs(3600);

/// Ends when the load may.
type Gate = watch::Receiver<bool>;
type Caller = Pin<Box<dyn Future<Output = Arc<Profile>> + Send>>;

/// A caller of a library; its loader counts the loads.
struct Subject {
    name: &'static str,
    call: Box<dyn Fn(Arc<str>, Gate, &'static AtomicUsize) -> Caller>,
}

static LOADS: AtomicUsize = AtomicUsize::new(0);

async fn load(mut gate: Gate, loads: &AtomicUsize) -> Profile {
    loads.fetch_add(1, Ordering::Relaxed);
    open(&mut gate).await;
    Profile::new(7)
}

/// For those who cache what they are given.
async fn load_shared(gate: Gate, loads: &AtomicUsize) -> Arc<Profile> {
    Arc::new(load(gate, loads).await)
}

async fn open(gate: &mut Gate) {
    gate.wait_for(|open| *open).await.expect("the gate outlives its waiters");
}

fn larder(name: &'static str, spawnable: bool) -> Subject {
    let cache = Larder::memory(10_000);
    let call = move |key: Arc<str>, gate: Gate, loads| -> Caller {
        let cache = cache.clone();
        if spawnable {
            Box::pin(async move {
                let policy = larder::Policy::ttl(TTL).swr(TTL);
                cache.get_or_load(key, policy, || load(gate, loads)).await
            })
        } else {
            Box::pin(async move { cache.get_or_load(key, TTL, || load(gate, loads)).await })
        }
    };
    Subject { name, call: Box::new(call) }
}

fn subjects() -> Vec<Subject> {
    let moka =
        moka::future::Cache::<String, Arc<Profile>>::builder().max_capacity(10_000).time_to_live(TTL).build();
    let quick = Arc::new(quick_cache::sync::Cache::<String, Arc<Profile>>::new(10_000));
    let foyer: foyer_memory::Cache<String, Arc<Profile>> = foyer_memory::CacheBuilder::new(10_000).build();
    vec![
        Subject {
            name: "tasks alone",
            call: Box::new(|_, mut gate, loads| {
                Box::pin(async move {
                    loads.store(1, Ordering::Relaxed);
                    open(&mut gate).await;
                    Arc::new(Profile::new(7))
                })
            }),
        },
        larder("larder, `get_or_load`, a TTL", false),
        larder("larder, `get_or_load`, TTL and SWR", true),
        Subject {
            name: "moka, `get_with_by_ref`",
            call: Box::new(move |key, gate, loads| {
                let cache = moka.clone();
                Box::pin(async move { cache.get_with_by_ref(&*key, load_shared(gate, loads)).await })
            }),
        },
        Subject {
            name: "quick_cache, `get_or_insert_async`",
            call: Box::new(move |key, gate, loads| {
                let cache = quick.clone();
                Box::pin(async move {
                    let load = async { Ok::<_, std::convert::Infallible>(load_shared(gate, loads).await) };
                    match cache.get_or_insert_async(&*key, load).await {
                        Ok(value) => value,
                        Err(never) => match never {},
                    }
                })
            }),
        },
        Subject {
            name: "foyer, `get_or_fetch`",
            call: Box::new(move |key, gate, loads| {
                let cache = foyer.clone();
                Box::pin(async move {
                    let fetch = || async { Ok::<_, std::io::Error>(load_shared(gate, loads).await) };
                    Arc::clone(cache.get_or_fetch(&*key, fetch).await.expect("it loads").value())
                })
            }),
        },
    ]
}

/// What a round took by caller.
struct Round {
    ns: f64,
    allocations: f64,
    bytes: f64,
    loads: usize,
}

fn round(runtime: &Runtime, subject: &Subject, key: &str, callers: usize) -> Round {
    let key: Arc<str> = key.into();
    LOADS.store(0, Ordering::Relaxed);
    runtime.block_on(async {
        let region = Region::new(ALLOCATOR);
        let began = Instant::now();
        let (gate, waits) = watch::channel(false);
        let arrived = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..callers {
            let (caller, arrived) = ((subject.call)(key.clone(), waits.clone(), &LOADS), arrived.clone());
            tasks.spawn(async move {
                arrived.fetch_add(1, Ordering::Relaxed);
                caller.await
            });
        }
        while arrived.load(Ordering::Relaxed) < callers {
            tokio::task::yield_now().await;
        }
        gate.send_replace(true);
        while let Some(value) = tasks.join_next().await {
            std::hint::black_box(value.expect("a caller panicked"));
        }
        let (ns, change) = (began.elapsed().as_nanos() as f64, region.change());
        let callers = callers as f64;
        Round {
            ns: ns / callers,
            allocations: change.allocations as f64 / callers,
            bytes: change.bytes_allocated as f64 / callers,
            loads: LOADS.load(Ordering::Relaxed),
        }
    })
}

fn median(rounds: &[Round], of: impl Fn(&Round) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(title: &str, runtime: &Runtime, callers: usize, rounds: usize) {
    let subjects = subjects();
    let mut all: Vec<Vec<Round>> = subjects.iter().map(|_| Vec::new()).collect();
    // One more than is counted: the first of each warms it up.
    for number in 0..=rounds {
        for (subject, rounds) in subjects.iter().zip(&mut all) {
            let round = round(runtime, subject, &format!("user:{number:07}:prof"), callers);
            if number > 0 {
                rounds.push(round);
            }
        }
    }
    println!("### {callers} callers, tokio {title}\n");
    println!(
        "| per caller | ns, median | ns, least | less tasks alone | allocations | bytes | loads, most |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let alone = median(&all[0], |round| round.ns);
    for (subject, rounds) in subjects.iter().zip(&all) {
        let (ns, least) =
            (median(rounds, |round| round.ns), rounds.iter().map(|round| round.ns).fold(f64::MAX, f64::min));
        let (allocations, bytes) =
            (median(rounds, |round| round.allocations), median(rounds, |round| round.bytes));
        let loads = rounds.iter().map(|round| round.loads).max().unwrap_or(0);
        println!(
            "| {} | {ns:.0} | {least:.0} | {:.0} | {allocations:.2} | {bytes:.0} | {loads} |",
            subject.name,
            ns - alone
        );
    }
    println!();
}

fn main() -> ExitCode {
    let (mut callers, mut rounds) = (1000, 51);
    if !parse(USAGE, &mut [("--callers", &mut callers), ("--rounds", &mut rounds)]) {
        return ExitCode::FAILURE;
    }
    let one = Builder::new_current_thread().build().expect("a runtime");
    print("current-thread", &one, callers, rounds);
    let two = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    print("multi-thread, 2 workers", &two, callers, rounds);
    ExitCode::SUCCESS
}
