//! Prints what larder makes of a Redis beside the bare client, in one run over one connection each.

use std::fmt;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use larder::{Larder, Policy, Redis};
use larder_benches::arguments::parse;
use larder_benches::redis_server::RedisServer;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

const USAGE: &str = "\
usage: redis [--rounds N] [--millis N] [--workers N] [--tasks N] [--bytes N]

Starts a redis-server of its own on a unix socket, and prints the operations per second of bare redis-rs (one
MultiplexedConnection) and of larder (Larder over Redis, one connection) side by side: GET, SET, nine GETs to one SET, and a
GET of an entry with a tag beside a bare GET; with 1, 64 and 1000 tasks at once and values of 100 and 10 000 bytes, or with
as many tasks and bytes as told. The two take turns in N rounds (default 15) of N ms each (default 200); printed are
the medians, the median of the rounds' ratios, and the processor time for an operation, of this process and of the server,
which tells more where other programs use the machine as well. The tasks run on tokio's multi-thread runtime with N workers (default 2).";

const HEAD: &str = "\
| work        |  bytes | tasks | bare, k/s | larder, k/s | ratio | bare, µs of client + server | larder, µs |
|---|---:|---:|---:|---:|---:|---:|---:|";

const KEYS: usize = 1000;
const TTL: Duration = Duration::from_secs(3600);

/// What a task does.
#[derive(Clone, Copy, PartialEq)]
enum Work {
    Get,
    Set,
    /// Nine reads to one write.
    Mix,
    /// Reads of entries with a tag; to the bare client they are reads like others.
    Tagged,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Get => "GET",
            Self::Set => "SET",
            Self::Mix => "90/10",
            Self::Tagged => "GET, tagged",
        })
    }
}

#[derive(Clone)]
enum Subject {
    Bare(MultiplexedConnection),
    Larder(Larder),
}

impl Subject {
    async fn get(&mut self, key: &str) -> usize {
        match self {
            Self::Bare(connection) => connection.get::<_, String>(key).await.expect("a value").len(),
            Self::Larder(larder) => {
                larder.get::<String>(key).await.expect("an answer").expect("a value").len()
            }
        }
    }

    async fn set(&mut self, key: &str, value: &str) {
        match self {
            Self::Bare(connection) => connection.set::<_, _, ()>(key, value).await.expect("stored"),
            Self::Larder(larder) => larder.set(key, value.to_owned(), TTL).await.expect("stored"),
        }
    }

    async fn fill(&mut self, value: &str) {
        for number in 0..KEYS {
            self.set(&key(false, number), value).await;
            self.set(&key(true, number), value).await;
            if let Self::Larder(larder) = self {
                let policy = Policy::ttl(TTL).tags(["tag"]);
                larder.set(key(true, number), value.to_owned(), policy).await.expect("stored");
            }
        }
    }
}

fn key(tagged: bool, number: usize) -> String {
    format!("{}:{:07}:prof", if tagged { "tagd" } else { "user" }, number % KEYS)
}

/// Keys, values, and how many do what at once.
#[derive(Clone)]
struct Load {
    work: Work,
    tasks: usize,
    keys: Arc<[String]>,
    value: Arc<str>,
}

/// One task, until it is told to stop; how much it did.
async fn toil(mut subject: Subject, load: Load, first: usize, stop: Arc<AtomicBool>) -> usize {
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        let key = &load.keys[(first + done * 7) % KEYS];
        if load.work == Work::Set || load.work == Work::Mix && done % 10 == 9 {
            subject.set(key, &load.value).await;
        } else {
            assert_eq!(subject.get(key).await, load.value.len());
        }
        done += 1;
    }
    done
}

/// What was done in one lap, or in all of them.
#[derive(Clone, Copy, Default)]
struct Lap {
    operations: usize,
    time: Duration,
    /// Processor time of this process, and of the server.
    used: [Duration; 2],
}

impl Lap {
    fn per_second(&self) -> f64 {
        self.operations as f64 / self.time.as_secs_f64()
    }

    /// Microseconds of processor time for one operation, here and in the server.
    fn cost(&self) -> [f64; 2] {
        self.used.map(|used| used.as_secs_f64() * 1e6 / self.operations as f64)
    }

    fn add(&mut self, lap: &Lap) {
        self.operations += lap.operations;
        self.time += lap.time;
        self.used = [self.used[0] + lap.used[0], self.used[1] + lap.used[1]];
    }
}

async fn lap(server: &RedisServer, subject: &Subject, load: &Load, time: Duration) -> Lap {
    let used = server.processor_time().expect("a /proc");
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for task in 0..load.tasks {
        tasks.spawn(toil(subject.clone(), load.clone(), task * 31, stop.clone()));
    }
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let operations = tasks.join_all().await.iter().sum();
    let (time, now) = (began.elapsed(), server.processor_time().expect("a /proc"));
    Lap { operations, time, used: [now[0] - used[0], now[1] - used[1]] }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn compare(server: &RedisServer, subjects: [Subject; 2], load: Load, rounds: usize, time: Duration) {
    let (mut speeds, mut sums) = ([Vec::new(), Vec::new()], [Lap::default(); 2]);
    for round in 0..=rounds {
        for turn in 0..2 {
            let who = (turn + round) % 2;
            let lap = lap(server, &subjects[who], &load, time).await;
            // The first round warms up.
            if round > 0 {
                speeds[who].push(lap.per_second());
                sums[who].add(&lap);
            }
        }
    }
    let [bare, larder] = speeds;
    let ratio = median(larder.iter().zip(&bare).map(|(larder, bare)| larder / bare).collect());
    let (bare, larder) = (median(bare) / 1000.0, median(larder) / 1000.0);
    let (bytes, Load { work, tasks, .. }) = (load.value.len(), load);
    print!("| {work:11} | {bytes:6} | {tasks:5} | {bare:6.1} | {larder:6.1} | {ratio:5.2} |");
    let [[bare, its], [larder, ours]] = sums.map(|sum| sum.cost());
    println!(" {bare:5.2} + {its:5.2} | {larder:5.2} + {ours:5.2} |");
}

async fn subjects(url: &str) -> [Subject; 2] {
    let client = redis::Client::open(url).expect("an URL");
    let patience = Duration::from_secs(5);
    let config = AsyncConnectionConfig::new().set_response_timeout(Some(patience));
    let bare = client.get_multiplexed_async_connection_with_config(&config).await.expect("a connection");
    let redis = Redis::builder(url).response_timeout(patience).connect().await;
    let larder = Larder::builder().redis(redis.expect("a handle")).build();
    [Subject::Bare(bare), Subject::Larder(larder)]
}

fn main() -> ExitCode {
    let (mut rounds, mut millis, mut workers, mut only_tasks, mut only_bytes) = (15, 200, 2, 0, 0);
    let options: &mut [(&str, &mut usize)] = &mut [
        ("--rounds", &mut rounds),
        ("--millis", &mut millis),
        ("--workers", &mut workers),
        ("--tasks", &mut only_tasks),
        ("--bytes", &mut only_bytes),
    ];
    if !parse(USAGE, options) {
        return ExitCode::FAILURE;
    }
    let server = match RedisServer::start() {
        Ok(server) => server,
        Err(error) => {
            eprintln!("redis-server cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let runtime: Runtime =
        Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime");
    let only = |number: usize, all: &[usize]| if number > 0 { vec![number] } else { all.to_vec() };
    runtime.block_on(async {
        println!("{HEAD}");
        for bytes in only(only_bytes, &[100, 10_000]) {
            let mut subjects = subjects(&server.url()).await;
            let value: Arc<str> = "x".repeat(bytes).into();
            for subject in &mut subjects {
                subject.fill(&value).await;
            }
            for tasks in only(only_tasks, &[1, 64, 1000]) {
                for work in [Work::Get, Work::Set, Work::Mix, Work::Tagged] {
                    let keys = (0..KEYS).map(|number| key(work == Work::Tagged, number)).collect();
                    let load = Load { work, tasks, keys, value: value.clone() };
                    compare(&server, subjects.clone(), load, rounds, Duration::from_millis(millis as u64))
                        .await;
                }
            }
        }
    });
    ExitCode::SUCCESS
}
