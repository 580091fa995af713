//! The report that people read.

use super::figures::{Figures, PageFigures};
use super::measure::Tally;
use super::terminal::{bad, bold, dim, good};

pub fn print(figures: &Figures, cached: &Tally, sample: &Tally) {
    let sampled = count(sample.total().requests());
    let replayed = count(cached.total().requests());
    println!();
    println!(
        "  {}{}{}",
        bold(&format!("{:<18}", "")),
        bold(&format!("{:^35}", format!("uncached, {sampled} reads*"))),
        bold(&format!("{:^33}", format!("cached, {replayed} reads"))),
    );
    println!(
        "{}",
        dim(&format!(
            "  {:<18}{:>9}{:>9}{:>9}{:>9} {:>9}{:>9}{:>9}{:>9}{:>8}{:>8}{:>9}",
            "page", "alone", "p50", "p95", "p99", "mean", "p50", "p95", "p99", "target", "hits", "faster"
        ))
    );
    figures.pages.iter().for_each(print_page);
    println!("{}", dim("  * a time-boxed sample of the same stream; `alone` is one user at a time"));
    println!();
    print_rates(figures);
    print_targets(figures, cached);
}

fn print_page(page: &PageFigures) {
    let target = format!("{:>8}", format!("{} ms", page.target_ms));
    let met = page.mean_ms.is_none_or(|mean| mean <= page.target_ms);
    println!(
        "  {:<18}{}{}{}{} {}{}{}{}{}{:>8}{:>9}",
        page.page,
        time(page.single_user_uncached_ms),
        time(page.uncached_p50_ms),
        time(page.uncached_p95_ms),
        time(page.uncached_p99_ms),
        time(page.mean_ms),
        time(page.p50_ms),
        time(page.p95_ms),
        time(page.p99_ms),
        if met { good(&target) } else { bad(&target) },
        percent(page.hit_ratio),
        page.speedup.map_or("–".to_owned(), times),
    );
}

fn print_rates(figures: &Figures) {
    let header = format!(
        "  {:<18}{:>10}{:>18}{:>18}{:>16}",
        "page", "requests", "uncached req/s", "cached req/s", "queries saved"
    );
    println!("{}", dim(&header));
    for page in &figures.pages {
        println!(
            "  {:<18}{:>10}{:>18}{:>18}{:>16}",
            page.page,
            count(page.requests),
            count(page.uncached_requests_per_second as usize),
            count(page.requests_per_second as usize),
            percent(page.queries_saved),
        );
    }
    println!();
}

fn print_targets(figures: &Figures, cached: &Tally) {
    let total = &figures.total;
    let (reads, rows) = (count(cached.total().requests()), count(cached.rows_checked as usize));
    let mean = cached.total().mean_ms().unwrap_or_default();
    let rate = count(total.requests_per_second as usize);
    let checked = format!("{}, of {reads} reads and {rows} rows checked", total.stale_reads);
    for (met, what, found) in [
        (mean <= 20.0, "average within 20 ms", format!("{}, {rate} requests a second", short_time(mean))),
        (total.speedup >= 3.3, "3.3 times faster", times(total.speedup)),
        (total.hit_ratio > 0.9, "hit ratio over 90 %", percent(Some(total.hit_ratio))),
        (total.queries_saved >= 0.8, "80 % fewer queries", percent(Some(total.queries_saved))),
        (total.p95_ms < 200.0, "p95 under 200 ms", latencies(figures)),
        (total.peak_rss_mb < 2048.0, "memory under 2 GB", format!("{:.0} MB at its peak", total.peak_rss_mb)),
        (total.stale_reads == 0, "stale reads: none", checked),
    ] {
        let mark = if met { good("✓") } else { bad("✗") };
        println!("  {mark} {what:<22}{}", bold(&found));
    }
    if let Some(example) = &cached.stale_example {
        println!("    {}", bad(example));
    }
    println!();
}

fn latencies(figures: &Figures) -> String {
    let total = &figures.total;
    let [p50, p95, p99] = [total.p50_ms, total.p95_ms, total.p99_ms].map(short_time);
    format!("{p95} (p50 {p50}, p99 {p99})")
}

fn time(ms: Option<f64>) -> String {
    format!("{:>9}", ms.map_or("–".to_owned(), short_time))
}

pub fn short_time(ms: f64) -> String {
    match ms {
        ..0.0095 => format!("{:.1} µs", ms * 1e3),
        ..0.9995 => format!("{:.0} µs", ms * 1e3),
        ..99.95 => format!("{ms:.1} ms"),
        _ => format!("{ms:.0} ms"),
    }
}

pub fn percent(share: Option<f64>) -> String {
    share.map_or("–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

fn times(factor: f64) -> String {
    if factor < 10.0 { format!("{factor:.1}×") } else { format!("{}×", count(factor as usize)) }
}

/// `12 345`.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).unwrap_or_default())
        .collect();
    groups.join(" ")
}
