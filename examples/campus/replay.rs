//! Replays a stream of requests on a few threads, through whatever cache is given, and checks every page.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use larder::Larder;

use super::Result;
use super::db::Db;
use super::journal::Outcome;
use super::measure::Tally;
use super::pages::Route;
use super::stream::Request;
use super::terminal::Progress;
use super::truth::{Moment, Truth};
use super::writes::{self, Write};

/// How many writes of a process may wait for other processes at a time.
const CLERKS: usize = 8;

/// The platform while it serves: its database, its cache, and what was written.
///
/// A program has one cache and says so once, with `larder::install(cache)`. This one compares several, so each
/// thread says which one its `#[cached]` functions use, with `larder::scope`.
pub struct Platform {
    pub db: Arc<Db>,
    pub cache: Larder,
    pub omitted: Option<writes::Kind>,
    pub threads: usize,
    truth: Truth,
}

impl Platform {
    pub fn new(db: Db, cache: Larder, threads: usize, omitted: Option<writes::Kind>) -> Self {
        Self { db: Arc::new(db), cache, omitted, threads, truth: Truth::default() }
    }

    /// The same, where other processes write too.
    pub fn beside_others(self, truth: Truth) -> Self {
        Self { truth, ..self }
    }

    /// Serves the requests in their order until they or the time are at an end.
    pub fn serve(&self, requests: &[Request], time: Option<Duration>, progress: &Progress) -> Result<Tally> {
        let began = Instant::now();
        let request = |number: usize| {
            let request = requests.get(number).filter(|_| time.is_none_or(|time| began.elapsed() < time));
            request.inspect(|_| progress.add(1))
        };
        self.serve_each(request, None)
    }

    /// Serves the requests again and again until told to stop, beside other processes. Clerks wait for what is to be
    /// acknowledged, so that nobody who reads waits for it.
    pub fn serve_until(&self, stopped: &AtomicBool, requests: &[Request]) -> Result<Tally> {
        let request = |number: usize| {
            requests.get(number % requests.len()).filter(|_| !stopped.load(Ordering::Relaxed))
        };
        // Nobody queues: a write is handed over to a clerk who has nothing to do, or not at all.
        let (desk, writes) = sync_channel(0);
        let writes = Mutex::new(writes);
        let clerk = || -> Result<Tally> {
            let mut tally = Tally::default();
            loop {
                let write = writes.lock().unwrap_or_else(PoisonError::into_inner).recv();
                let Ok(write) = write else { return Ok(tally) };
                self.write(write, true, &mut tally)?;
            }
        };
        thread::scope(|scope| {
            let clerks = scope.spawn(|| self.on_threads(CLERKS, clerk));
            let mut tally = self.serve_each(request, Some(&desk))?;
            drop(desk);
            tally.absorb(clerks.join().map_err(|_| "a clerk panicked")??);
            Ok(tally)
        })
    }

    fn serve_each<'r>(
        &self,
        request: impl Fn(usize) -> Option<&'r Request> + Sync,
        desk: Option<&SyncSender<Write>>,
    ) -> Result<Tally> {
        let began = Instant::now();
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let serve_some = || -> Result<Tally> {
            let mut tally = Tally::default();
            while !failed.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(request) = request(number) else { break };
                let answered = match (*request, desk) {
                    (Request::Read(route), _) => self.read(route, &mut tally),
                    (Request::Write(write), None) => self.write(write, true, &mut tally),
                    // Every other one is for a clerk; where none is free, nobody waits for other processes.
                    (Request::Write(write), Some(desk)) => {
                        let handed_over = number.is_multiple_of(2) && desk.try_send(write).is_ok();
                        if handed_over { Ok(()) } else { self.write(write, false, &mut tally) }
                    }
                };
                answered.inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
            }
            tally.elapsed = began.elapsed();
            Ok(tally)
        };
        self.on_threads(self.threads, serve_some)
    }

    pub fn into_truth(self) -> Truth {
        self.truth
    }

    /// Opens the pages before anybody asks for them. Returns how many queries that took.
    pub fn warm_up(&self, routes: &[Route], progress: &Progress) -> Result<u64> {
        let next = AtomicUsize::new(0);
        let before = self.db.queries();
        self.on_threads(self.threads, || {
            while let Some(route) = routes.get(next.fetch_add(1, Ordering::Relaxed)) {
                route.open(&self.db)?;
                progress.add(1);
            }
            Ok(Tally::default())
        })?;
        Ok(self.db.queries() - before)
    }

    fn on_threads(&self, threads: usize, work: impl Fn() -> Result<Tally> + Sync) -> Result<Tally> {
        thread::scope(|scope| {
            let work = || larder::scope(&self.cache, &work);
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let mut total = Tally::default();
            for thread in threads {
                let tally = thread.join().map_err(|_| "a thread of the replay panicked")??;
                total.absorb(tally);
            }
            Ok(total)
        })
    }

    fn write(&self, write: Write, acked: bool, tally: &mut Tally) -> Result<()> {
        let began = Instant::now();
        tally.writes += 1;
        match write.apply(&self.db, &self.truth, acked, self.omitted)? {
            Outcome::Acknowledged => tally.acknowledged.push(began.elapsed()),
            Outcome::Returned => {}
            Outcome::Failed => tally.failed_writes += 1,
        }
        Ok(())
    }

    fn read(&self, route: Route, tally: &mut Tally) -> Result<()> {
        let moment = self.truth.now()?;
        let queries = Db::queries_of_this_thread();
        let began = Instant::now();
        let page = route.open(&self.db)?;
        tally.read(route.kind(), began.elapsed(), Db::queries_of_this_thread() - queries);
        self.check(route, page.as_ref(), moment, tally);
        Ok(())
    }

    /// Every row of the page, against what was written and forgotten before the read began.
    fn check(&self, route: Route, page: &dyn super::pages::Page, began: Moment, tally: &mut Tally) {
        let mut stale = None;
        page.rows(&mut |rows| {
            tally.rows_checked += rows.len() as u64;
            stale = stale.take().or(self.truth.check(began, rows));
        });
        if let Some((row, due)) = stale {
            tally.stale_reads += 1;
            tally.stale_example.get_or_insert_with(|| format!("{route:?} showed {row}, but {due} was due"));
        }
    }
}
