//! Several processes over one Redis and one database, each with memory of its own in front: each serves its share of the
//! requests, and every page is checked against what any of them has written and all have handled.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use larder::Larder;
use serde::{Deserialize, Serialize};

use super::Result;
use super::db::{Db, WorkingCopy};
use super::measure::Tally;
use super::options::Options;
use super::picture;
use super::replay::Platform;
use super::seed;
use super::server::Server;
use super::steps::{CONNECTIONS, folder};
use super::stream::Stream;
use super::terminal::{Progress, bad, bold, good, line};
use super::timeline::{self, Point};
use super::truth::Truth;
use super::words::{count, percent, time};

/// What one process has to say in the end.
#[derive(Serialize, Deserialize)]
struct Report {
    reads: usize,
    writes: usize,
    unacknowledged: usize,
    hit_ratio: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    /// How long it took until every process had handled a write: half of them, and the slowest but one in a hundred.
    acknowledged_p50_ms: f64,
    acknowledged_p99_ms: f64,
    rows_checked: u64,
    loads: u64,
    errors: u64,
    stale_reads: u64,
    stale_example: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    timeline: BTreeMap<u64, Point>,
}

/// Returns how many stale reads there were.
pub fn run(options: &Options, nodes: usize) -> Result<u64> {
    match &options.node {
        Some((number, file)) => {
            let report = serve(options, nodes, *number, file)?;
            line(&serde_json::to_string(&report)?);
            Ok(0)
        }
        None => lead(options, nodes),
    }
}

/// Starts the processes, each as this program with some arguments more, and sums up.
fn lead(options: &Options, nodes: usize) -> Result<u64> {
    let progress = Progress::new(options.json);
    let copy = WorkingCopy::of(&seed::school_file(&folder()?, &options.school, &progress)?)?;
    drop(Db::open(&copy.file, 0)?);
    if options.chaos && options.redis.is_some() {
        return Err("--chaos kills a Redis of the run's own: leave out --redis".into());
    }
    let mut server = if options.redis.is_none() { Some(Server::start()?) } else { None };
    let url = server.as_ref().map(Server::url).or_else(|| options.redis.clone()).ok_or("no Redis")?;
    progress.say(&format!("{nodes} processes over one Redis and one database"));
    let start = |number: usize| -> Result<Child> {
        let mut node = Command::new(env::current_exe()?);
        node.args(env::args_os().skip(1)).arg("--redis").arg(&url).arg("--nodes").arg(nodes.to_string());
        node.arg("--node").arg((number + 1).to_string()).arg(&copy.file);
        Ok(node.stdout(Stdio::piped()).spawn()?)
    };
    let children: Vec<Child> = (0..nodes).map(start).collect::<Result<_>>()?;
    let outage = match server.as_mut().filter(|_| options.chaos) {
        Some(server) => Some(kill_half_way(server, options)?),
        None => None,
    };
    let reports = children.into_iter().map(|node| {
        let output = node.wait_with_output()?;
        if !output.status.success() {
            return Err("a process of the fleet failed".into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    });
    let reports: Result<Vec<Report>> = reports.collect();
    let _ = fs::remove_file(truth_beside(&copy.file));
    let mut reports = reports?;
    let points = timeline_of(&mut reports);
    if let Some(file) = picture_file(options)? {
        fs::write(&file, picture::svg(points, outage))?;
        progress.say(&format!("how it went: {}", file.display()));
    }
    if options.json {
        line(&serde_json::to_string_pretty(&reports)?);
    } else {
        print(&reports);
    }
    Ok(reports.iter().map(|report| report.stale_reads).sum())
}

/// Where the picture goes; with --chaos there is always one.
fn picture_file(options: &Options) -> Result<Option<PathBuf>> {
    match &options.picture {
        Some(file) => Ok(Some(file.clone())),
        None if options.chaos => Ok(Some(folder()?.join("fleet.svg"))),
        None => Ok(None),
    }
}

/// Kills Redis when half of the time is over, and starts it again, empty, after a sixth of it; the steps of both.
fn kill_half_way(server: &mut Server, options: &Options) -> Result<(u64, u64)> {
    let whole = Duration::from_secs(options.seconds as u64);
    thread::sleep(whole / 2);
    let from = timeline::now();
    server.kill();
    thread::sleep(whole / 6);
    server.start_again()?;
    Ok((from, timeline::now()))
}

/// The timelines of all as one.
fn timeline_of(reports: &mut [Report]) -> BTreeMap<u64, Point> {
    let mut all = BTreeMap::<u64, Point>::new();
    for report in reports {
        for (step, point) in std::mem::take(&mut report.timeline) {
            all.entry(step).or_default().absorb(point);
        }
    }
    all
}

fn truth_beside(file: &Path) -> PathBuf {
    file.with_extension("truth")
}

/// One process: every so-many-th request; with --chaos, again and again until its time is over.
fn serve(options: &Options, nodes: usize, number: usize, file: &Path) -> Result<Report> {
    let stream = Stream::new(options, &options.school)?;
    let mut share: Vec<_> = stream.requests.into_iter().skip(number).step_by(nodes).collect();
    let time = options.chaos.then(|| Duration::from_secs(options.seconds as u64));
    if options.chaos {
        share = share.repeat(options.seconds);
    }
    // Of this run alone: the database is as new as that.
    let namespace = file.file_stem().and_then(|name| name.to_str()).ok_or("a name that is no text")?;
    let cache = connect(options, namespace)?;
    let mut platform = Platform::new(Db::open(file, CONNECTIONS)?, cache, 2 * CONNECTIONS, options.omitted)
        .beside_others(Truth::shared(&truth_beside(file))?);
    platform.keeps_time = options.chaos || options.picture.is_some();
    let tally = platform.serve(&share, time, &Progress::new(true))?;
    Ok(Report::of(&tally, platform))
}

#[cfg(feature = "redis")]
fn connect(options: &Options, namespace: &str) -> Result<Larder> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let url = options.redis.as_deref().ok_or("no Redis")?;
    let redis = runtime.block_on(larder::Redis::builder(url).namespace(namespace).connect())?;
    let memory = larder::Memory::builder().capacity(options.capacity).build();
    Ok(Larder::builder().memory(memory).redis(redis).build())
}

#[cfg(not(feature = "redis"))]
fn connect(_: &Options, _: &str) -> Result<Larder> {
    Err("built without Redis: cargo run --release --features redis --example campus -- --nodes 4".into())
}

impl Report {
    fn of(tally: &Tally, platform: Platform) -> Self {
        let (total, stats) = (tally.total(), platform.cache.stats());
        let [p50_ms, p95_ms, p99_ms] = total.percentiles_ms().unwrap_or_default();
        let mut acknowledged: Vec<f64> =
            tally.acknowledged.iter().map(|time| time.as_secs_f64() * 1e3).collect();
        acknowledged.sort_by(f64::total_cmp);
        let within =
            |share: usize| acknowledged.get(acknowledged.len() * share / 100).copied().unwrap_or_default();
        Self {
            reads: total.requests(),
            writes: tally.writes,
            unacknowledged: tally.unacknowledged,
            acknowledged_p50_ms: within(50),
            acknowledged_p99_ms: within(99),
            hit_ratio: total.hit_ratio().unwrap_or_default(),
            p50_ms,
            p95_ms,
            p99_ms,
            rows_checked: tally.rows_checked,
            loads: stats.loads,
            errors: stats.errors,
            stale_reads: tally.stale_reads,
            stale_example: tally.stale_example.clone(),
            timeline: platform.timeline.into_points(),
        }
    }
}

fn print(reports: &[Report]) {
    line("");
    line(&bold(&format!(
        "  {:<9}{:>9}{:>8}{:>9}{:>8}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>13}{:>8}{:>8}",
        "process",
        "reads",
        "writes",
        "unknown",
        "hits",
        "p50",
        "p95",
        "p99",
        "acked",
        "p99",
        "loads",
        "rows checked",
        "errors",
        "stale"
    )));
    for (number, report) in (1..).zip(reports) {
        line(&format!(
            "  {number:<9}{:>9}{:>8}{:>9}{:>8}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>13}{:>8}{:>8}",
            count(report.reads),
            count(report.writes),
            count(report.unacknowledged),
            percent(report.hit_ratio),
            time(report.p50_ms),
            time(report.p95_ms),
            time(report.p99_ms),
            time(report.acknowledged_p50_ms),
            time(report.acknowledged_p99_ms),
            count(report.loads),
            count(report.rows_checked),
            count(report.errors),
            count(report.stale_reads),
        ));
    }
    line("");
    let stale: u64 = reports.iter().map(|report| report.stale_reads).sum();
    line(&match stale {
        0 => good("  no stale read"),
        stale => bad(&format!("  {} stale reads", count(stale))),
    });
    if let Some(example) = reports.iter().find_map(|report| report.stale_example.as_ref()) {
        line(&bad(&format!("    {example}")));
    }
}
