//! Times and counts of a replay, page by page.

use std::time::Duration;

use super::fleet::timeline::Timeline;
use super::pages::Kind;

#[derive(Default)]
pub struct PageTally {
    pub times: Vec<Duration>,
    /// Requests that needed no query of their own.
    pub hits: usize,
    pub queries: u64,
}

#[derive(Default)]
pub struct Tally {
    pages: [PageTally; Kind::ALL.len()],
    pub writes: usize,
    /// Writes that were made, but have an error: queued, or nobody can say who has handled them.
    pub failed_writes: usize,
    /// How long writes took until every process had handled them, of those that waited for it.
    pub acknowledged: Vec<Duration>,
    pub timeline: Timeline,
    pub rows_checked: u64,
    pub stale_reads: u64,
    /// The first of them, in words.
    pub stale_example: Option<String>,
    pub elapsed: Duration,
}

impl Tally {
    pub fn page(&self, kind: Kind) -> &PageTally {
        &self.pages[kind as usize]
    }

    pub fn read(&mut self, kind: Kind, time: Duration, queries: u64) {
        let page = &mut self.pages[kind as usize];
        page.times.push(time);
        page.hits += usize::from(queries == 0);
        page.queries += queries;
        self.timeline.read(time, queries == 0);
    }

    pub fn absorb(&mut self, other: Self) {
        for (mine, theirs) in self.pages.iter_mut().zip(other.pages) {
            mine.absorb(&theirs);
        }
        self.writes += other.writes;
        self.failed_writes += other.failed_writes;
        self.acknowledged.extend(other.acknowledged);
        self.timeline.absorb(other.timeline);
        self.rows_checked += other.rows_checked;
        self.stale_reads += other.stale_reads;
        self.stale_example = self.stale_example.take().or(other.stale_example);
        self.elapsed = self.elapsed.max(other.elapsed);
    }

    /// All pages as one.
    pub fn total(&self) -> PageTally {
        let mut total = PageTally::default();
        self.pages.iter().for_each(|page| total.absorb(page));
        total
    }
}

impl PageTally {
    fn absorb(&mut self, other: &Self) {
        self.times.extend(&other.times);
        self.hits += other.hits;
        self.queries += other.queries;
    }

    pub fn requests(&self) -> usize {
        self.times.len()
    }

    pub fn hit_ratio(&self) -> Option<f64> {
        per(self.hits as f64, self.requests())
    }

    pub fn queries_per_request(&self) -> Option<f64> {
        per(self.queries as f64, self.requests())
    }

    pub fn mean_ms(&self) -> Option<f64> {
        per(self.times.iter().map(|&time| ms(time)).sum(), self.requests())
    }

    /// p50, p95 and p99: the time within which so many in a hundred were answered.
    pub fn percentiles_ms(&self) -> Option<[f64; 3]> {
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        Some([50, 95, 99].map(|share| ms(sorted[(sorted.len() * share / 100).min(last)])))
    }
}

fn per(sum: f64, requests: usize) -> Option<f64> {
    (requests > 0).then(|| sum / requests as f64)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
