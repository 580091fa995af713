//! Replays a stream of requests on a few threads, through whatever cache is given, and checks every page.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use larder::Larder;

use super::Result;
use super::db::Db;
use super::measure::Tally;
use super::pages::Route;
use super::stream::Request;
use super::terminal::Progress;
use super::timeline::Timeline;
use super::truth::{Moment, Truth};
use super::writes;

/// The platform while it serves: its database, its cache, and what was written.
///
/// A program has one cache and says so once, with `larder::install(cache)`. This one compares several, so each
/// thread says which one its `#[cached]` functions use, with `larder::scope`.
pub struct Platform {
    pub db: Arc<Db>,
    pub cache: Larder,
    pub omitted: Option<writes::Kind>,
    pub threads: usize,
    /// Whether it notes how it goes over time.
    pub keeps_time: bool,
    pub timeline: Timeline,
    truth: Truth,
}

impl Platform {
    pub fn new(db: Db, cache: Larder, threads: usize, omitted: Option<writes::Kind>) -> Self {
        Self {
            db: Arc::new(db),
            cache,
            omitted,
            threads,
            keeps_time: false,
            timeline: Timeline::default(),
            truth: Truth::default(),
        }
    }

    /// The same, where other processes write too.
    pub fn beside_others(self, truth: Truth) -> Self {
        Self { truth, ..self }
    }

    /// Serves the requests in their order until they or the time are at an end.
    pub fn serve(&self, requests: &[Request], time: Option<Duration>, progress: &Progress) -> Result<Tally> {
        let began = Instant::now();
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let serve_some = || -> Result<Tally> {
            let mut tally = Tally::default();
            while time.is_none_or(|time| began.elapsed() < time) && !failed.load(Ordering::Relaxed) {
                let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                self.answer(*request, &mut tally).inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
                progress.add(1);
            }
            tally.elapsed = began.elapsed();
            Ok(tally)
        };
        self.on_every_thread(serve_some)
    }

    /// Opens the pages before anybody asks for them. Returns how many queries that took.
    pub fn warm_up(&self, routes: &[Route], progress: &Progress) -> Result<u64> {
        let next = AtomicUsize::new(0);
        let before = self.db.queries();
        self.on_every_thread(|| {
            while let Some(route) = routes.get(next.fetch_add(1, Ordering::Relaxed)) {
                route.open(&self.db)?;
                progress.add(1);
            }
            Ok(Tally::default())
        })?;
        Ok(self.db.queries() - before)
    }

    fn on_every_thread(&self, work: impl Fn() -> Result<Tally> + Sync) -> Result<Tally> {
        thread::scope(|scope| {
            let work = || larder::scope(&self.cache, &work);
            let threads: Vec<_> = (0..self.threads).map(|_| scope.spawn(work)).collect();
            let mut total = Tally::default();
            for thread in threads {
                let tally = thread.join().map_err(|_| "a thread of the replay panicked")??;
                total.absorb(tally);
            }
            Ok(total)
        })
    }

    fn answer(&self, request: Request, tally: &mut Tally) -> Result<()> {
        match request {
            Request::Read(route) => self.read(route, tally),
            Request::Write(write) => {
                let began = Instant::now();
                tally.writes += 1;
                if write.apply(&self.db, &self.truth, self.omitted)? {
                    tally.acknowledged.push(began.elapsed());
                } else {
                    tally.unacknowledged += 1;
                }
                Ok(())
            }
        }
    }

    fn read(&self, route: Route, tally: &mut Tally) -> Result<()> {
        let moment = self.truth.now()?;
        let queries = Db::queries_of_this_thread();
        let began = Instant::now();
        let page = route.open(&self.db)?;
        let (time, queries) = (began.elapsed(), Db::queries_of_this_thread() - queries);
        tally.read(route.kind(), time, queries);
        if self.keeps_time {
            self.timeline.read(time, queries == 0);
        }
        self.check(route, page.as_ref(), moment, tally);
        Ok(())
    }

    /// Every row of the page, against what was written and forgotten before the read began.
    fn check(&self, route: Route, page: &dyn super::pages::Page, began: Moment, tally: &mut Tally) {
        let mut stale = None;
        page.rows(&mut |rows| {
            tally.rows_checked += rows.len() as u64;
            stale = stale.take().or_else(|| self.truth.stale(began, rows));
        });
        if let Some((row, due)) = stale {
            tally.stale_reads += 1;
            tally.stale_example.get_or_insert_with(|| format!("{route:?} showed {row}, but {due} was due"));
        }
    }
}
