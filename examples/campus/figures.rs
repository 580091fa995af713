//! What the replays say: the figures of the report, and of `--json`.

use serde::Serialize;

use super::measure::{PageTally, Tally};
use super::pages::Kind;

/// The whole of `--json`.
#[derive(Serialize)]
pub struct Figures {
    pub pages: Vec<PageFigures>,
    pub total: Total,
}

/// Times in milliseconds, ratios from 0 to 1. What was not asked for has no figures.
#[derive(Serialize)]
pub struct PageFigures {
    pub page: &'static str,
    pub requests: usize,
    pub target_ms: f64,
    pub single_user_uncached_ms: Option<f64>,
    pub uncached_p50_ms: Option<f64>,
    pub uncached_p95_ms: Option<f64>,
    pub uncached_p99_ms: Option<f64>,
    pub uncached_requests_per_second: f64,
    pub mean_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub requests_per_second: f64,
    pub speedup: Option<f64>,
    pub hit_ratio: Option<f64>,
    pub queries_saved: Option<f64>,
}

#[derive(Serialize)]
pub struct Total {
    pub speedup: f64,
    pub hit_ratio: f64,
    pub queries_saved: f64,
    pub stale_reads: u64,
    pub requests_per_second: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub peak_rss_mb: f64,
}

/// The three measurements of one run.
pub struct Measured {
    /// One user, one page after the other, uncached.
    pub alone: Tally,
    /// A time-boxed sample of the stream, uncached.
    pub uncached: Tally,
    /// The whole stream, cached.
    pub cached: Tally,
    /// All queries of the cached replay, those of background refreshes too.
    pub queries: u64,
}

impl Measured {
    pub fn figures(&self) -> Figures {
        let pages = Kind::ALL.map(|kind| self.page(kind)).into();
        Figures { pages, total: self.total() }
    }

    fn page(&self, kind: Kind) -> PageFigures {
        let (uncached, cached) = (self.uncached.page(kind), self.cached.page(kind));
        let before = uncached.percentiles_ms();
        let after = cached.percentiles_ms();
        let saved = |queries: f64| Some(1.0 - cached.queries_per_request()? / queries);
        PageFigures {
            page: kind.name(),
            requests: cached.requests(),
            target_ms: kind.target_ms(),
            single_user_uncached_ms: self.alone.page(kind).mean_ms(),
            uncached_p50_ms: before.map(|times| times[0]),
            uncached_p95_ms: before.map(|times| times[1]),
            uncached_p99_ms: before.map(|times| times[2]),
            uncached_requests_per_second: rate(uncached, &self.uncached),
            mean_ms: cached.mean_ms(),
            p50_ms: after.map(|times| times[0]),
            p95_ms: after.map(|times| times[1]),
            p99_ms: after.map(|times| times[2]),
            requests_per_second: rate(cached, &self.cached),
            speedup: cached.mean_ms().and_then(|after| Some(self.before(kind).mean_ms()? / after)),
            hit_ratio: cached.hit_ratio(),
            queries_saved: self.before(kind).queries_per_request().and_then(saved),
        }
    }

    fn total(&self) -> Total {
        let cached = self.cached.total();
        let [p50_ms, p95_ms, p99_ms] = cached.percentiles_ms().unwrap_or_default();
        // Of each page as many as the cached replay served, at what they cost uncached.
        let weigh = |cost: fn(&PageTally) -> Option<f64>| -> f64 {
            let pages = Kind::ALL.into_iter();
            pages
                .filter_map(|kind| Some(cost(self.before(kind))? * self.cached.page(kind).requests() as f64))
                .sum()
        };
        Total {
            speedup: weigh(PageTally::mean_ms)
                / (cached.mean_ms().unwrap_or(f64::NAN) * cached.requests() as f64),
            hit_ratio: cached.hit_ratio().unwrap_or_default(),
            queries_saved: 1.0 - self.queries as f64 / weigh(PageTally::queries_per_request),
            stale_reads: self.cached.stale_reads,
            requests_per_second: (cached.requests() + self.cached.writes) as f64
                / self.cached.elapsed.as_secs_f64(),
            p50_ms,
            p95_ms,
            p99_ms,
            peak_rss_mb: peak_rss_mb().unwrap_or(f64::NAN),
        }
    }

    /// The page uncached, from the sample, or where the sample did not come to it, alone.
    fn before(&self, kind: Kind) -> &PageTally {
        let sampled = self.uncached.page(kind);
        if sampled.requests() > 0 { sampled } else { self.alone.page(kind) }
    }
}

fn rate(page: &PageTally, of: &Tally) -> f64 {
    page.requests() as f64 / of.elapsed.as_secs_f64()
}

/// The most memory this process ever held, where the system says so.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = peak.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1024.0)
}
