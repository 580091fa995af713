//! The timeline as a picture: hit ratio above, latency below on a scale of powers of ten, the outage in grey.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::timeline::{Point, seconds};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 60.0;
/// Latencies from a hundredth of a millisecond to ten seconds.
const DECADES: (f64, f64) = (-2.0, 4.0);

/// An SVG of the points, and of an outage from one step to another.
pub fn svg(mut points: BTreeMap<u64, Point>, outage: Option<(u64, u64)>) -> String {
    let first = points.keys().next().copied().unwrap_or_default();
    let last = points.keys().next_back().copied().unwrap_or_default();
    let whole = seconds(last, first).max(1.0);
    let x = |step: u64| LEFT + seconds(step, first) / whole * WIDTH;
    let mut svg = String::new();
    let mut line = |text: String| {
        svg.push_str(&text);
        svg.push('\n');
    };
    line(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif" font-size="12">"#,
        LEFT + WIDTH + 20.0,
        2.0 * HEIGHT + 110.0
    ));
    line(r#"<rect width="100%" height="100%" fill="white"/>"#.into());
    if let Some((from, until)) = outage {
        let (from, until) = (x(from.max(first)), x(until.min(last)));
        line(format!(
            r##"<rect x="{from:.1}" y="20" width="{:.1}" height="{:.1}" fill="#ddd"><title>Redis is away</title></rect>"##,
            until - from,
            2.0 * HEIGHT + 40.0
        ));
    }
    let top = |share: f64| 30.0 + (1.0 - share) * HEIGHT;
    let below = |ms: f64| {
        let share = (ms.max(1e-6).log10() - DECADES.0) / (DECADES.1 - DECADES.0);
        60.0 + HEIGHT + (1.0 - share.clamp(0.0, 1.0)) * HEIGHT
    };
    for share in [0.0, 0.5, 1.0] {
        line(rule(top(share), &format!("{:.0} %", share * 100.0)));
    }
    for decade in -2..=4 {
        line(rule(below(10f64.powi(decade)), &format!("{} ms", 10f64.powi(decade))));
    }
    line(curve(points.iter().map(|(step, point)| (x(*step), top(point.hit_ratio()))), "#0a7", "hit ratio"));
    for (share, colour) in [(50, "#06c"), (99, "#c30")] {
        let points: Vec<_> =
            points.iter_mut().map(|(step, point)| (x(*step), below(point.percentile_ms(share)))).collect();
        line(curve(points.into_iter(), colour, &format!("p{share}")));
    }
    for second in (0..=whole as u64).step_by(5) {
        let x = LEFT + second as f64 / whole * WIDTH;
        line(format!(r#"<text x="{x:.1}" y="{}">{second} s</text>"#, 2.0 * HEIGHT + 85.0));
    }
    for (at, (text, colour)) in
        [("hit ratio", "#0a7"), ("latency, p50", "#06c"), ("latency, p99", "#c30")].into_iter().enumerate()
    {
        let x = LEFT + 140.0 * at as f64;
        line(format!(r#"<text x="{x}" y="{}" fill="{colour}">{text}</text>"#, 2.0 * HEIGHT + 103.0));
    }
    line("</svg>".into());
    svg
}

fn rule(y: f64, text: &str) -> String {
    format!(
        r##"<line x1="{LEFT}" x2="{}" y1="{y:.1}" y2="{y:.1}" stroke="#ccc"/><text x="4" y="{:.1}">{text}</text>"##,
        LEFT + WIDTH,
        y + 4.0
    )
}

fn curve(points: impl Iterator<Item = (f64, f64)>, colour: &str, title: &str) -> String {
    let mut all = String::new();
    for (x, y) in points {
        // Into a text, which takes whatever is written.
        let _ = write!(all, "{x:.1},{y:.1} ");
    }
    format!(
        r#"<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{all}"><title>{title}</title></polyline>"#
    )
}
