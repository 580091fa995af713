//! The report that people read.

use super::figures::Figures;
use super::measure::Tally;
use super::terminal::{bad, bold, dim, good, line};
use super::words::{count, percent, time, times};

pub fn print(figures: &Figures, sample: &Tally, cached: &Tally) {
    line("");
    response_times(figures, sample, cached);
    line("");
    savings(figures);
    line("");
    targets(figures, cached);
    line("");
}

fn response_times(figures: &Figures, sample: &Tally, cached: &Tally) {
    let before = format!("uncached, {} reads*", count(sample.total().requests()));
    let after = format!("cached, {} reads", count(cached.total().requests()));
    line(&bold(&format!("  {:<27}{before:^27}  {after:^36}", "")));
    line(&dim(&format!(
        "  {:<18}{:>9}{:>9}{:>9}{:>9}  {:>9}{:>9}{:>9}{:>9}{:>11}",
        "page", "alone*", "p50", "p95", "p99", "p50", "p95", "p99", "mean", "target"
    )));
    for page in figures.pages.iter().chain([&figures.overall]) {
        let met = page.mean_ms.is_none_or(|mean| mean <= page.target_ms);
        line(&format!(
            "  {:<18}{:>9}{:>9}{:>9}{:>9}  {:>9}{:>9}{:>9}{:>9}{:>8} ms {}",
            page.page,
            or_dash(page.single_user_uncached_ms, time),
            or_dash(page.uncached_p50_ms, time),
            or_dash(page.uncached_p95_ms, time),
            or_dash(page.uncached_p99_ms, time),
            or_dash(page.p50_ms, time),
            or_dash(page.p95_ms, time),
            or_dash(page.p99_ms, time),
            or_dash(page.mean_ms, time),
            page.target_ms,
            mark(met),
        ));
    }
    line(&dim(
        "  * reads uncached: a time-boxed sample of the same stream; alone: one user at a time, uncached",
    ));
}

fn savings(figures: &Figures) {
    line(&dim(&format!(
        "  {:<18}{:>10}{:>12}{:>16}{:>16}{:>12}{:>17}",
        "page", "reads", "hit ratio", "queries saved", "reads/s before", "after", "speed-up (mean)"
    )));
    for page in figures.pages.iter().chain([&figures.overall]) {
        line(&format!(
            "  {:<18}{:>10}{:>12}{:>16}{:>16}{:>12}{:>17}",
            page.page,
            count(page.requests),
            or_dash(page.hit_ratio, percent),
            or_dash(page.queries_saved, percent),
            count(page.uncached_requests_per_second as u64),
            count(page.requests_per_second as u64),
            or_dash(page.speedup, times),
        ));
    }
}

fn targets(figures: &Figures, cached: &Tally) {
    let (total, mean) = (&figures.total, figures.overall.mean_ms.unwrap_or_default());
    let of = format!("of {} reads and {} rows", count(cached.total().requests()), count(cached.rows_checked));
    for (met, target, found) in [
        (mean <= 20.0, "average within 20 ms", time(mean)),
        (total.p95_ms < 200.0, "p95 under 200 ms", time(total.p95_ms)),
        (total.speedup >= 3.3, "3.3 times faster", times(total.speedup)),
        (total.hit_ratio > 0.9, "hit ratio over 90 %", percent(total.hit_ratio)),
        (total.queries_saved >= 0.8, "80 % fewer queries", percent(total.queries_saved)),
        (total.peak_rss_mb < 2048.0, "memory under 2 GB", format!("{:.0} MB at its peak", total.peak_rss_mb)),
        (total.stale_reads == 0, "no stale read", format!("{} {of} checked", count(total.stale_reads))),
    ] {
        line(&format!("  {} {target:<24}{}", mark(met), bold(&found)));
    }
    if let Some(example) = &cached.stale_example {
        line(&bad(&format!("    {example}")));
    }
}

fn mark(met: bool) -> String {
    if met { good("✓") } else { bad("✗") }
}

fn or_dash(figure: Option<f64>, words: fn(f64) -> String) -> String {
    figure.map_or_else(|| "–".to_owned(), words)
}
