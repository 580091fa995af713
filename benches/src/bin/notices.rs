//! Prints what an invalidation costs a Redis whose changes are told to many processes' memories.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use larder::{Larder, Memory, Policy, Redis};
use larder_benches::arguments::parse;
use larder_benches::redis_server::RedisServer;
use redis::aio::MultiplexedConnection;
use tokio::time::sleep;

const USAGE: &str = "\
usage: notices [--nodes N] [--changes N]

Starts a redis-server of its own and 2, 10 and 100 nodes (or as many as told), each a Larder of memory over Redis with a
thread and connections of its own, all in this process. Every node holds every key in memory. Then the first node changes
so many keys (default 500), one after the other: printed is what that takes for one change, in commands, bytes and
processor time of the server. What idle nodes take in the same time (heartbeats) is measured before, and taken off.";

const HEAD: &str = "\
| change | nodes | commands | bytes to Redis | bytes from Redis | of these, for each other node | processor time of Redis, µs |
|---|---:|---:|---:|---:|---:|---:|";

const TTL: Duration = Duration::from_secs(3600);

/// What is done to a key.
#[derive(Clone, Copy)]
enum Change {
    Set,
    Invalidate,
    InvalidateTag,
}

impl Change {
    const ALL: [(Self, &str); 3] = [
        (Self::Set, "`set`"),
        (Self::Invalidate, "`invalidate` of a key"),
        (Self::InvalidateTag, "`invalidate_tag` of one entry's tag"),
    ];

    async fn make(self, larder: &Larder, number: usize) {
        let done = match self {
            Self::Set => larder.set(key(number), text(number), TTL).await,
            Self::Invalidate => larder.invalidate(key(number)).await.map(drop),
            Self::InvalidateTag => larder.invalidate_tag(tag(number)).await.map(drop),
        };
        done.expect("Redis is there");
    }
}

fn key(number: usize) -> String {
    format!("user:{number:07}:prof")
}

fn tag(number: usize) -> String {
    format!("user-{number:07}")
}

fn text(number: usize) -> String {
    format!("{number:0100}")
}

/// What a server has done so far.
#[derive(Clone, Copy)]
struct Done {
    at: Instant,
    commands: f64,
    bytes_in: f64,
    bytes_out: f64,
    used: Duration,
}

impl Done {
    async fn by(server: &RedisServer, connection: &mut MultiplexedConnection) -> Self {
        let info: String = redis::cmd("INFO").arg("stats").query_async(connection).await.expect("it answers");
        let of = |name: &str| -> f64 {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|number| number.trim().parse().ok()).expect("Redis counts it")
        };
        let [commands, bytes_in, bytes_out] =
            ["total_commands_processed", "total_net_input_bytes", "total_net_output_bytes"].map(of);
        let [_, used] = server.processor_time().expect("a /proc");
        Self { at: Instant::now(), commands, bytes_in, bytes_out, used }
    }

    /// Since `before`: seconds, commands, bytes in and out, microseconds.
    fn since(self, before: Self) -> [f64; 5] {
        let micros = (self.used - before.used).as_secs_f64() * 1e6;
        let (commands, bytes_in) = (self.commands - before.commands, self.bytes_in - before.bytes_in);
        [(self.at - before.at).as_secs_f64(), commands, bytes_in, self.bytes_out - before.bytes_out, micros]
    }
}

async fn node(url: &str) -> Larder {
    let redis = Redis::connect(url).await.expect("the address is its own");
    Larder::builder().memory(Memory::builder().capacity(100_000).build()).redis(redis).build()
}

/// Has every key in Redis, and in every node's memory.
async fn warm(nodes: &[Larder], changes: usize) {
    for number in 0..changes {
        let policy = Policy::ttl(TTL).tags([tag(number)]);
        nodes[0].set(key(number), text(number), policy).await.expect("stored");
    }
    for node in nodes {
        for number in 0..changes {
            let value: Option<Arc<String>> = node.get(key(number)).await.expect("an answer");
            assert!(value.is_some(), "it was stored");
        }
    }
}

async fn measure(server: &RedisServer, count: usize, changes: usize) {
    let url = server.url();
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(node(&url).await);
    }
    let client = redis::Client::open(url).expect("an URL");
    let mut raw = client.get_multiplexed_async_connection().await.expect("a connection");
    for (change, name) in Change::ALL {
        warm(&nodes, changes).await;
        sleep(Duration::from_secs(1)).await;
        let idle = Done::by(server, &mut raw).await;
        sleep(Duration::from_secs(5)).await;
        let before = Done::by(server, &mut raw).await;
        for number in 0..changes {
            change.make(&nodes[0], number).await;
        }
        sleep(Duration::from_secs(1)).await;
        let (while_idle, all) = (before.since(idle), Done::by(server, &mut raw).await.since(before));
        let one = |at: usize| (all[at] - while_idle[at] * all[0] / while_idle[0]).max(0.0) / changes as f64;
        let [commands, bytes_in, bytes_out, micros] = [1, 2, 3, 4].map(one);
        let each = bytes_out / (count - 1).max(1) as f64;
        println!(
            "| {name} | {count} | {commands:.1} | {bytes_in:.0} | {bytes_out:.0} | {each:.0} | {micros:.1} |"
        );
        nodes[0].clear().await.expect("cleared");
    }
}

fn main() -> ExitCode {
    let (mut nodes, mut changes) = (0, 500);
    if !parse(USAGE, &mut [("--nodes", &mut nodes), ("--changes", &mut changes)]) {
        return ExitCode::FAILURE;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    println!("{HEAD}");
    for count in if nodes > 0 { vec![nodes] } else { vec![2, 10, 100] } {
        let server = match RedisServer::start() {
            Ok(server) => server,
            Err(error) => {
                eprintln!("redis-server cannot be started: {error}");
                return ExitCode::FAILURE;
            }
        };
        runtime.as_ref().expect("a runtime").block_on(measure(&server, count, changes));
    }
    ExitCode::SUCCESS
}
