//! The steps of a run: one user alone, a sample of the stream uncached, a cold start, a warm-up, the whole
//! stream cached.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use larder::Larder;

use super::Result;
use super::db::Db;
use super::figures::Measured;
use super::measure::Tally;
use super::options::Options;
use super::pages::{Kind, Route};
use super::replay::Platform;
use super::seed;
use super::stream::{Request, Stream};
use super::terminal::Progress;
use super::words::{count, percent, time};

/// Of a process, for reading.
pub const CONNECTIONS: usize = 4;
/// So many requests show what the warm-up is good for.
const FIRST_REQUESTS: usize = 2_000;

pub fn run(options: &Options, progress: &Progress) -> Result<Measured> {
    let file = seed::school_file(&folder()?, &options.school, progress)?;
    let stream = Stream::new(options, &options.school)?;
    let threads = thread::available_parallelism().map_or(4, usize::from).clamp(2, 16) * 2;
    let run = Run { options, file: &file, stream: &stream, threads, progress };
    run.introduce();
    let alone = run.alone()?;
    let uncached = run.uncached()?;
    run.cold()?;
    let platform = run.platform(Larder::memory(options.capacity), threads)?;
    run.warm_up(&platform)?;
    let before = platform.db.queries();
    let cached = run.cached(&platform)?;
    Ok(Measured { alone, uncached, cached, queries: platform.db.queries() - before })
}

/// Beside the program, so that `cargo clean` takes it away.
pub fn folder() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.parent().unwrap_or(Path::new(".")).join("campus-data"))
}

struct Run<'a> {
    options: &'a Options,
    file: &'a Path,
    stream: &'a Stream,
    threads: usize,
    progress: &'a Progress,
}

impl Run<'_> {
    fn introduce(&self) {
        let (options, school) = (self.options, &self.options.school);
        self.progress.say(&format!(
            "{} students, {} courses, {} teachers, {} enrolments, {} submissions, {} payments",
            count(school.students),
            count(school.courses),
            count(school.teachers),
            count(school.enrolments),
            count(school.submissions),
            count(school.payments),
        ));
        self.progress.say(&format!(
            "{} requests of {}, writes {}, seed {}",
            count(self.stream.requests.len()),
            self.stream.description,
            percent(options.write_ratio),
            options.seed
        ));
        self.progress.say(&format!(
            "{} threads, {CONNECTIONS} reading database connections, a cache of {} entries",
            self.threads,
            count(options.capacity)
        ));
    }

    fn platform(&self, cache: Larder, threads: usize) -> Result<Platform> {
        let db = Db::open_copy(self.file, CONNECTIONS)?;
        Ok(Platform::new(db, cache, threads, self.options.omitted))
    }

    fn alone(&self) -> Result<Tally> {
        let platform = self.platform(Larder::disabled(), 1)?;
        let mut alone = Tally::default();
        self.progress.begin("one user, uncached", Kind::ALL.len() as u64);
        for kind in Kind::ALL {
            let requests = self.some_requests(kind);
            alone.absorb(platform.serve(&requests, Some(self.options.sample / 10), &Progress::new(true))?);
            self.progress.add(1);
        }
        let mean = alone.total().mean_ms().unwrap_or_default();
        self.progress.end(&format!("{} pages, {} each on average", alone.total().requests(), time(mean)));
        Ok(alone)
    }

    /// The first different requests for pages of this kind.
    fn some_requests(&self, kind: Kind) -> Vec<Request> {
        let mut seen = HashSet::new();
        let reads = self.stream.requests.iter().filter_map(|request| match request {
            Request::Read(route) if route.kind() == kind => Some(*route),
            _ => None,
        });
        let different = reads.filter(|route| seen.insert(*route) || *route == Route::AdminDashboard);
        different.take(100).map(Request::Read).collect()
    }

    fn uncached(&self) -> Result<Tally> {
        let platform = self.platform(Larder::disabled(), self.threads)?;
        self.progress.begin("sample, uncached", self.stream.requests.len() as u64);
        let sample = platform.serve(&self.stream.requests, Some(self.options.sample), self.progress)?;
        self.progress.end(&outcome(&sample));
        Ok(sample)
    }

    fn cold(&self) -> Result<()> {
        let platform = self.platform(Larder::memory(self.options.capacity), self.threads)?;
        let requests = &self.stream.requests[..FIRST_REQUESTS.min(self.stream.requests.len())];
        self.progress.begin("cold start", requests.len() as u64);
        let cold = platform.serve(requests, None, self.progress)?;
        self.progress.end(&outcome(&cold));
        Ok(())
    }

    fn warm_up(&self, platform: &Platform) -> Result<()> {
        let routes = &self.stream.warm_up;
        self.progress.begin("warm-up", routes.len() as u64);
        let queries = platform.warm_up(routes, self.progress)?;
        let entries = platform.cache.stats().entries;
        self.progress.end(&format!(
            "{} pages opened, {} queries, {} entries",
            count(routes.len()),
            count(queries),
            count(entries)
        ));
        Ok(())
    }

    fn cached(&self, platform: &Platform) -> Result<Tally> {
        let (first, rest) = self.stream.requests.split_at(FIRST_REQUESTS.min(self.stream.requests.len()));
        self.progress.begin("warm start", first.len() as u64);
        let began = Instant::now();
        let mut cached = platform.serve(first, None, self.progress)?;
        self.progress.end(&outcome(&cached));
        self.progress.begin("all requests, cached", rest.len() as u64);
        let rest = platform.serve(rest, None, self.progress)?;
        cached.absorb(rest);
        cached.elapsed = began.elapsed();
        self.progress.end(&outcome(&cached));
        Ok(cached)
    }
}

fn outcome(tally: &Tally) -> String {
    let total = tally.total();
    let [_, p95, p99] = total.percentiles_ms().unwrap_or_default();
    format!(
        "{} pages and {} writes, {} hits, p95 {}, p99 {}",
        count(total.requests()),
        count(tally.writes),
        percent(total.hit_ratio().unwrap_or_default()),
        time(p95),
        time(p99)
    )
}
