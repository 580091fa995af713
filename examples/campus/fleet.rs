//! Several processes over one Redis and one database: each serves its share of the requests, and every page is checked
//! against what any of them has written.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use larder::Larder;
use serde::{Deserialize, Serialize};

use super::Result;
use super::db::{Db, WorkingCopy};
use super::measure::Tally;
use super::options::Options;
use super::replay::Platform;
use super::seed;
use super::steps::{CONNECTIONS, folder};
use super::stream::Stream;
use super::terminal::{Progress, bad, bold, good, line};
use super::truth::Truth;
use super::words::{count, percent, time};

/// What one process has to say in the end.
#[derive(Serialize, Deserialize)]
struct Report {
    reads: usize,
    writes: usize,
    hit_ratio: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    rows_checked: u64,
    loads: u64,
    errors: u64,
    stale_reads: u64,
    stale_example: Option<String>,
}

/// Returns how many stale reads there were.
pub fn run(options: &Options, url: &str) -> Result<u64> {
    match &options.node {
        Some((number, file)) => {
            let report = serve(options, url, *number, file)?;
            line(&serde_json::to_string(&report)?);
            Ok(0)
        }
        None => lead(options),
    }
}

/// Starts the processes, each as this program with two arguments more, and sums up.
fn lead(options: &Options) -> Result<u64> {
    let progress = Progress::new(options.json);
    let copy = WorkingCopy::of(&seed::school_file(&folder()?, &options.school, &progress)?)?;
    drop(Db::open(&copy.file, 0)?);
    progress.say(&format!(
        "{} processes over one Redis and one database, {} requests",
        options.nodes,
        count(options.requests())
    ));
    let start = |number: usize| -> Result<Child> {
        let mut node = Command::new(env::current_exe()?);
        node.args(env::args_os().skip(1)).arg("--node").arg((number + 1).to_string()).arg(&copy.file);
        Ok(node.stdout(Stdio::piped()).spawn()?)
    };
    let nodes: Vec<Child> = (0..options.nodes).map(start).collect::<Result<_>>()?;
    let reports = nodes.into_iter().map(|node| {
        let output = node.wait_with_output()?;
        if !output.status.success() {
            return Err("a process of the fleet failed".into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    });
    let reports: Result<Vec<Report>> = reports.collect();
    let _ = fs::remove_file(truth_beside(&copy.file));
    let reports = reports?;
    if options.json {
        line(&serde_json::to_string_pretty(&reports)?);
    } else {
        print(&reports);
    }
    Ok(reports.iter().map(|report| report.stale_reads).sum())
}

fn truth_beside(file: &Path) -> std::path::PathBuf {
    file.with_extension("truth")
}

/// One process: every so-many-th request.
fn serve(options: &Options, url: &str, number: usize, file: &Path) -> Result<Report> {
    let stream = Stream::new(options, &options.school)?;
    let share: Vec<_> = stream.requests.into_iter().skip(number).step_by(options.nodes).collect();
    // Of this run alone: the database is as new as that.
    let namespace = file.file_stem().and_then(|name| name.to_str()).ok_or("a name that is no text")?;
    let cache = connect(url, namespace)?;
    let platform = Platform::new(Db::open(file, CONNECTIONS)?, cache, 2 * CONNECTIONS, options.omitted)
        .beside_others(Truth::shared(&truth_beside(file))?);
    let tally = platform.serve(&share, None, &Progress::new(true))?;
    Ok(Report::of(&tally, &platform.cache))
}

#[cfg(feature = "redis")]
fn connect(url: &str, namespace: &str) -> Result<Larder> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let redis = larder::Redis::builder(url).namespace(namespace);
    Ok(Larder::over(runtime.block_on(redis.connect())?))
}

#[cfg(not(feature = "redis"))]
fn connect(_: &str, _: &str) -> Result<Larder> {
    Err("built without Redis: cargo run --release --features redis --example campus -- --redis URL".into())
}

impl Report {
    fn of(tally: &Tally, cache: &Larder) -> Self {
        let (total, stats) = (tally.total(), cache.stats());
        let [p50_ms, p95_ms, p99_ms] = total.percentiles_ms().unwrap_or_default();
        Self {
            reads: total.requests(),
            writes: tally.writes,
            hit_ratio: total.hit_ratio().unwrap_or_default(),
            p50_ms,
            p95_ms,
            p99_ms,
            rows_checked: tally.rows_checked,
            loads: stats.loads,
            errors: stats.errors,
            stale_reads: tally.stale_reads,
            stale_example: tally.stale_example.clone(),
        }
    }
}

fn print(reports: &[Report]) {
    line("");
    line(&bold(&format!(
        "  {:<9}{:>9}{:>8}{:>8}{:>9}{:>9}{:>9}{:>9}{:>13}{:>8}{:>8}",
        "process", "reads", "writes", "hits", "p50", "p95", "p99", "loads", "rows checked", "errors", "stale"
    )));
    for (number, report) in (1..).zip(reports) {
        line(&format!(
            "  {number:<9}{:>9}{:>8}{:>8}{:>9}{:>9}{:>9}{:>9}{:>13}{:>8}{:>8}",
            count(report.reads),
            count(report.writes),
            percent(report.hit_ratio),
            time(report.p50_ms),
            time(report.p95_ms),
            time(report.p99_ms),
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
