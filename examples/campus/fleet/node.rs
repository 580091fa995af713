//! One process of a fleet: every so-many-th request, again and again, from when it is told to begin until its input ends.

use std::io::stdin;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use larder::Larder;

use super::super::Result;
use super::super::db::Db;
use super::super::options::Options;
use super::super::replay::Platform;
use super::super::steps::CONNECTIONS;
use super::super::stream::{Request, Stream};
use super::super::terminal::line;
use super::super::truth::Truth;
use super::report::Report;

/// What it says when it can begin; then what it has to report follows.
pub const READY: &str = "ready";

/// Where the processes tell each other what they write.
pub fn journal_beside(database: &Path) -> PathBuf {
    database.with_extension("journal")
}

pub fn run(options: &Options, nodes: usize, number: usize, file: &Path) -> Result<()> {
    let stream = Stream::new(options, &options.school)?;
    let share: Vec<_> = stream.requests.into_iter().skip(number).step_by(nodes).collect();
    // Of this run alone: the database is as new as that.
    let namespace = file.file_stem().and_then(|name| name.to_str()).ok_or("a name that is no text")?;
    let cache = connect(options, namespace)?;
    let platform = Platform::new(Db::open(file, CONNECTIONS)?, cache, CONNECTIONS, options.omitted)
        .beside_others(Truth::shared(number, &journal_beside(file))?);
    line(READY);
    let mut word = String::new();
    stdin().read_line(&mut word)?;
    let report = serve(platform, &share)?;
    line(&serde_json::to_string(&report)?);
    Ok(())
}

fn serve(platform: Platform, share: &[Request]) -> Result<Report> {
    let stopped = AtomicBool::new(false);
    let tally = thread::scope(|scope| {
        scope.spawn(|| {
            // An error is an end too.
            let _ = stdin().read_line(&mut String::new());
            stopped.store(true, Ordering::Relaxed);
        });
        platform.serve_until(&stopped, share)
    })?;
    let stats = platform.cache.stats();
    Ok(Report::new(tally, stats, platform.into_truth().late()))
}

#[cfg(feature = "redis")]
fn connect(options: &Options, namespace: &str) -> Result<Larder> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let url = options.redis.as_deref().ok_or("a process of a fleet wants a Redis")?;
    let redis = runtime.block_on(larder::Redis::builder(url).namespace(namespace).connect())?;
    let memory = larder::Memory::builder().capacity(options.capacity).build();
    Ok(Larder::builder().memory(memory).redis(redis).build())
}

#[cfg(not(feature = "redis"))]
fn connect(_: &Options, _: &str) -> Result<Larder> {
    Err("built without Redis: cargo run --release --features redis --example campus -- --nodes 4".into())
}
