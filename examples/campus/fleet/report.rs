//! What the processes of a fleet have to say in the end, for people and as JSON.

use serde::{Deserialize, Serialize};

use super::super::measure::Tally;
use super::super::terminal::{bad, bold, dim, good, line};
use super::super::truth::Late;
use super::super::words::{count, percent, time};
use super::timeline::Timeline;
use super::times::Times;

/// Of one process, or of all.
#[derive(Default, Serialize, Deserialize)]
pub struct Report {
    counts: Counts,
    pub timeline: Timeline,
    acknowledged: Times,
    late_returned: Times,
    late_failed: Times,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Counts {
    writes: usize,
    /// Writes that have an error, as while Redis is away.
    failed_writes: usize,
    loads: u64,
    errors: u64,
    rows_checked: u64,
    stale_reads: u64,
    stale_example: Option<String>,
}

/// Of one process, or of all, as JSON. Times in milliseconds, ratios from 0 to 1.
#[derive(Serialize)]
struct Figures {
    reads: usize,
    hit_ratio: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    acknowledged_writes: usize,
    /// From before the transaction until every process had handled the write: half of them, and all but one in a hundred.
    acknowledged_p50_ms: f64,
    acknowledged_p99_ms: f64,
    #[serde(flatten)]
    counts: Counts,
}

/// How long other processes saw what was there before a write that was not acknowledged.
#[derive(Serialize)]
struct Spread {
    /// Rows written, times the processes that read them after.
    seen: usize,
    /// The share of those that were seen as they were before, at all.
    seen_old: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    longest_ms: f64,
}

impl Report {
    pub fn new(tally: Tally, stats: larder::Stats, late: Late) -> Self {
        Self {
            counts: Counts {
                writes: tally.writes,
                failed_writes: tally.failed_writes,
                loads: stats.loads,
                errors: stats.errors,
                rows_checked: tally.rows_checked,
                stale_reads: tally.stale_reads,
                stale_example: tally.stale_example,
            },
            timeline: tally.timeline,
            acknowledged: tally.acknowledged.into_iter().collect(),
            late_returned: late.returned,
            late_failed: late.failed,
        }
    }

    fn absorb(&mut self, other: Self) {
        let (mine, theirs) = (&mut self.counts, other.counts);
        mine.writes += theirs.writes;
        mine.failed_writes += theirs.failed_writes;
        mine.loads += theirs.loads;
        mine.errors += theirs.errors;
        mine.rows_checked += theirs.rows_checked;
        mine.stale_reads += theirs.stale_reads;
        mine.stale_example = mine.stale_example.take().or(theirs.stale_example);
        self.timeline.absorb(other.timeline);
        self.acknowledged.absorb(other.acknowledged);
        self.late_returned.absorb(other.late_returned);
        self.late_failed.absorb(other.late_failed);
    }

    fn figures(&self) -> Figures {
        let reads = self.timeline.total();
        let [p50_ms, p95_ms, p99_ms] = reads.times.within_ms([0.5, 0.95, 0.99]);
        let [acknowledged_p50_ms, acknowledged_p99_ms] = self.acknowledged.within_ms([0.5, 0.99]);
        Figures {
            reads: reads.reads(),
            hit_ratio: reads.hit_ratio(),
            p50_ms,
            p95_ms,
            p99_ms,
            acknowledged_writes: self.acknowledged.len(),
            acknowledged_p50_ms,
            acknowledged_p99_ms,
            counts: self.counts.clone(),
        }
    }
}

impl Spread {
    fn of(late: &Times) -> Self {
        let [p50_ms, p90_ms, p99_ms, longest_ms] = late.within_ms([0.5, 0.9, 0.99, 1.0]);
        let seen = late.len();
        let seen_old = late.above_zero() as f64 / seen.max(1) as f64;
        Self { seen, seen_old, p50_ms, p90_ms, p99_ms, longest_ms }
    }
}

/// The reports of all, and of each.
pub struct Summary {
    pub total: Report,
    processes: Vec<Figures>,
}

impl Summary {
    pub fn of(reports: Vec<Report>) -> Self {
        let processes = reports.iter().map(Report::figures).collect();
        let mut total = Report::default();
        reports.into_iter().for_each(|report| total.absorb(report));
        Self { total, processes }
    }

    pub fn stale_reads(&self) -> u64 {
        self.total.counts.stale_reads
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "processes": self.processes,
            "total": self.total.figures(),
            "unacknowledged": {
                "returned": Spread::of(&self.total.late_returned),
                "failed": Spread::of(&self.total.late_failed),
            },
        })
    }

    pub fn print(&self) {
        line("");
        self.table();
        self.spreads();
        line("");
        let counts = &self.total.counts;
        let checked = format!("{} rows checked", count(counts.rows_checked));
        line(&match counts.stale_reads {
            0 => good(&format!("  no stale read; {checked}")),
            stale => bad(&format!("  {} stale reads; {checked}", count(stale))),
        });
        if let Some(example) = &counts.stale_example {
            line(&bad(&format!("    {example}")));
        }
    }

    fn table(&self) {
        let before = format!("  {:<9}{:^54}{:^48}", "", "reads of pages", "writes");
        line(&bold(before.trim_end()));
        line(&dim(&format!(
            "  {:<9}{:>10}{:>8}{:>9}{:>9}{:>9}{:>9}  {:>9}{:>9}{:>9}{:>9}{:>9}",
            "process", "all", "hits", "p50", "p95", "p99", "stale", "all", "acked", "p50", "p99", "failed"
        )));
        let total = self.total.figures();
        let names = (1..=self.processes.len()).map(|number| number.to_string()).chain(["all".to_owned()]);
        for (name, figures) in names.zip(self.processes.iter().chain([&total])) {
            line(&format!(
                "  {name:<9}{:>10}{:>8}{:>9}{:>9}{:>9}{:>9}  {:>9}{:>9}{:>9}{:>9}{:>9}",
                count(figures.reads),
                percent(figures.hit_ratio),
                time(figures.p50_ms),
                time(figures.p95_ms),
                time(figures.p99_ms),
                count(figures.counts.stale_reads),
                count(figures.counts.writes),
                count(figures.acknowledged_writes),
                time(figures.acknowledged_p50_ms),
                time(figures.acknowledged_p99_ms),
                count(figures.counts.failed_writes),
            ));
        }
    }

    fn spreads(&self) {
        line(&dim(
            "  acked: with the transaction; the first one waits 8 s where Redis does not know who was there before",
        ));
        if self.total.counts.failed_writes > 0 {
            line(&dim(
                "  failed: committed while Redis was down, so its invalidation is queued, or who has handled it is not known;",
            ));
            line(&dim(
                "  no defect: its own process serves nothing old, the others hear of it before they trust their memory again",
            ));
        }
        line("");
        line(&bold("  for how long others saw what was there before a write that was not acknowledged"));
        line(&dim(&format!(
            "  {:<28}{:>12}{:>10}{:>9}{:>9}{:>9}{:>9}",
            "", "rows seen*", "seen old", "p50", "p90", "p99", "longest"
        )));
        for (name, late) in [
            ("it returned", &self.total.late_returned),
            ("it failed: Redis was down", &self.total.late_failed),
        ] {
            let spread = Spread::of(late);
            let or_dash = |text: String| if spread.seen == 0 { "–".to_owned() } else { text };
            line(&format!(
                "  {name:<28}{:>12}{:>10}{:>9}{:>9}{:>9}{:>9}",
                count(spread.seen),
                or_dash(percent(spread.seen_old)),
                or_dash(time(spread.p50_ms)),
                or_dash(time(spread.p90_ms)),
                or_dash(time(spread.p99_ms)),
                or_dash(time(spread.longest_ms)),
            ));
        }
        line(&dim("  * rows written, times the other processes that read them after"));
    }
}
