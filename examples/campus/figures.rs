//! What the replays say: the figures of the report, and of `--json`.

use serde::Serialize;

use super::measure::{PageTally, Tally};
use super::pages::Kind;

/// The whole of `--json`.
#[derive(Serialize)]
pub struct Figures {
    pub pages: Vec<PageFigures>,
    pub total: Total,
    /// All pages as one, for people.
    #[serde(skip)]
    pub overall: PageFigures,
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
        let pages: Vec<_> = Kind::ALL.map(|kind| self.page(kind)).into();
        Figures { overall: self.overall(&pages), total: self.total(), pages }
    }

    fn page(&self, kind: Kind) -> PageFigures {
        let (uncached, cached, before) =
            (self.uncached.page(kind), self.cached.page(kind), self.before(kind));
        let ratio = |of: fn(&PageTally) -> Option<f64>| Some(of(before)? / of(cached)?);
        PageFigures {
            single_user_uncached_ms: self.alone.page(kind).mean_ms(),
            speedup: ratio(PageTally::mean_ms),
            queries_saved: ratio(PageTally::queries_per_request).map(|times_fewer| 1.0 - 1.0 / times_fewer),
            ..self.measured(kind.name(), kind.target_ms(), uncached, cached)
        }
    }

    /// All pages as one. Alone, each counts the same.
    fn overall(&self, pages: &[PageFigures]) -> PageFigures {
        let alone: Vec<f64> = pages.iter().filter_map(|page| page.single_user_uncached_ms).collect();
        let total = self.total();
        PageFigures {
            single_user_uncached_ms: Some(alone.iter().sum::<f64>() / alone.len() as f64),
            speedup: Some(total.speedup),
            queries_saved: Some(total.queries_saved),
            ..self.measured("all pages", 20.0, &self.uncached.total(), &self.cached.total())
        }
    }

    fn measured(
        &self,
        page: &'static str,
        target_ms: f64,
        uncached: &PageTally,
        cached: &PageTally,
    ) -> PageFigures {
        let [before, after] = [uncached, cached].map(PageTally::percentiles_ms);
        PageFigures {
            page,
            requests: cached.requests(),
            target_ms,
            single_user_uncached_ms: None,
            uncached_p50_ms: before.map(|times| times[0]),
            uncached_p95_ms: before.map(|times| times[1]),
            uncached_p99_ms: before.map(|times| times[2]),
            uncached_requests_per_second: rate(uncached, &self.uncached),
            mean_ms: cached.mean_ms(),
            p50_ms: after.map(|times| times[0]),
            p95_ms: after.map(|times| times[1]),
            p99_ms: after.map(|times| times[2]),
            requests_per_second: rate(cached, &self.cached),
            speedup: None,
            hit_ratio: cached.hit_ratio(),
            queries_saved: None,
        }
    }

    fn total(&self) -> Total {
        let cached = self.cached.total();
        let [p50_ms, p95_ms, p99_ms] = cached.percentiles_ms().unwrap_or_default();
        let requests = cached.requests() + self.cached.writes;
        let time_cached = cached.mean_ms().unwrap_or(f64::NAN) * cached.requests() as f64;
        Total {
            speedup: self.uncached_sum(PageTally::mean_ms) / time_cached,
            hit_ratio: cached.hit_ratio().unwrap_or_default(),
            queries_saved: 1.0 - self.queries as f64 / self.uncached_sum(PageTally::queries_per_request),
            stale_reads: self.cached.stale_reads,
            requests_per_second: requests as f64 / self.cached.elapsed.as_secs_f64(),
            p50_ms,
            p95_ms,
            p99_ms,
            peak_rss_mb: peak_rss_mb().unwrap_or_default(),
        }
    }

    /// What the reads of the cached replay would have cost uncached: of each page as many as it served.
    fn uncached_sum(&self, cost: fn(&PageTally) -> Option<f64>) -> f64 {
        let cost_of = |kind| Some(cost(self.before(kind))? * self.cached.page(kind).requests() as f64);
        Kind::ALL.into_iter().filter_map(cost_of).sum()
    }

    /// The page uncached: from the sample, or where the sample did not come to it, alone.
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
