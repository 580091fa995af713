//! Starts the processes of a fleet, takes their Redis away for a while if asked to, and sums up.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::super::Result;
use super::super::db::{Db, WorkingCopy};
use super::super::options::Options;
use super::super::seed;
use super::super::steps::folder;
use super::super::terminal::{Progress, line};
use super::super::truth::Truth;
use super::node::{READY, journal_beside};
use super::picture::{self, Events};
use super::report::{Report, Summary};
use super::server::Server;
use super::timeline::now;

/// Within this, writes are acknowledged again: a lease, and what a slow machine takes beside it.
const PATIENCE: Duration = Duration::from_secs(40);
/// So long the fleet goes on when they are.
const AFTER: Duration = Duration::from_secs(2);

/// Returns how many stale reads there were.
pub fn run(options: &Options, nodes: usize) -> Result<u64> {
    if options.chaos && options.redis.is_some() {
        return Err("--chaos kills a Redis of the run's own: leave out --redis".into());
    }
    let progress = Progress::new(options.json);
    let database = Database(WorkingCopy::of(&seed::school_file(&folder()?, &options.school, &progress)?)?);
    drop(Db::open(&database.0.file, 0)?);
    let mut server = if options.redis.is_none() { Some(Server::start()?) } else { None };
    let url = options.redis.clone().or(server.as_ref().map(Server::url)).ok_or("no Redis")?;
    progress.say(&format!("{nodes} processes over one Redis and one database"));

    let mut fleet = (0..nodes)
        .map(|number| Process::start(number, nodes, &url, &database.0.file))
        .collect::<Result<Vec<_>>>()?;
    fleet.iter_mut().try_for_each(Process::begin)?;
    let events = go_on(options, server.as_mut(), &Truth::shared(nodes, &database.journal())?, &progress)?;
    fleet.iter_mut().for_each(Process::stop);
    let summary = Summary::of(fleet.into_iter().map(Process::report).collect::<Result<_>>()?);

    if let Some(file) = picture_file(options)? {
        fs::write(&file, picture::svg(&summary.total.timeline, &events))?;
        progress.say(&format!("how it went: {}", file.display()));
    }
    if options.json {
        line(&serde_json::to_string_pretty(&summary.json())?);
    } else {
        summary.print();
    }
    Ok(summary.stale_reads())
}

/// Where the picture goes; with --chaos there is always one.
fn picture_file(options: &Options) -> Result<Option<PathBuf>> {
    match &options.picture {
        Some(file) => Ok(Some(file.clone())),
        None if options.chaos => Ok(Some(folder()?.join("fleet.svg"))),
        None => Ok(None),
    }
}

/// Lets the fleet work for its time, and on until writes are acknowledged: in a new fleet, and when a Redis comes back
/// empty, the first of them waits for the longest lease that somebody may have had before. With --chaos, Redis is killed
/// half way, and comes back after a sixth of the time.
fn go_on(
    options: &Options,
    server: Option<&mut Server>,
    truth: &Truth,
    progress: &Progress,
) -> Result<Events> {
    let (began, whole) = (Instant::now(), options.time);
    let mut events = Events::default();
    let mut before = 0;
    if let Some(server) = server.filter(|_| options.chaos) {
        thread::sleep(whole / 2);
        let away = now().as_secs_f64();
        server.kill();
        progress.say(&format!("after {:.1} s Redis is killed", began.elapsed().as_secs_f64()));
        thread::sleep(whole / 6);
        server.start_again()?;
        events.outage = Some((away, now().as_secs_f64()));
        before = truth.acknowledged()?;
        progress.say(&format!("after {:.1} s it is back, and empty", began.elapsed().as_secs_f64()));
    }
    let patience = Instant::now() + PATIENCE;
    while truth.acknowledged()? == before {
        if Instant::now() > patience {
            return Err(format!("no write was acknowledged within {PATIENCE:?}").into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    events.acknowledged = Some(now().as_secs_f64());
    progress.say(&format!("after {:.1} s writes are acknowledged", began.elapsed().as_secs_f64()));
    thread::sleep(whole.saturating_sub(began.elapsed()).max(AFTER));
    Ok(events)
}

/// The database, and the journal beside it, which go with this.
struct Database(WorkingCopy);

impl Database {
    fn journal(&self) -> PathBuf {
        journal_beside(&self.0.file)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // There is none, if nothing was written.
        let _ = fs::remove_file(self.journal());
    }
}

/// A process of the fleet; it ends with this.
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// This program, with some arguments more.
    fn start(number: usize, nodes: usize, url: &str, database: &Path) -> Result<Self> {
        let mut node = Command::new(env::current_exe()?);
        node.args(env::args_os().skip(1)).args(["--redis", url, "--nodes", &nodes.to_string()]);
        node.arg("--node").arg((number + 1).to_string()).arg(database);
        let mut child = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("a process without output")?;
        Ok(Self { input: child.stdin.take(), output: BufReader::new(output), child })
    }

    /// Waits until it is ready, and lets it begin.
    fn begin(&mut self) -> Result<()> {
        let mut word = String::new();
        self.output.read_line(&mut word)?;
        match &mut self.input {
            Some(input) if word.trim_end() == READY => Ok(input.write_all(b"go\n")?),
            _ => Err("a process of the fleet could not begin".into()),
        }
    }

    /// It ends when its input does.
    fn stop(&mut self) {
        self.input = None;
    }

    fn report(mut self) -> Result<Report> {
        let mut report = String::new();
        self.output.read_to_string(&mut report)?;
        if !self.child.wait()?.success() {
            return Err("a process of the fleet failed".into());
        }
        Ok(serde_json::from_str(&report)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
