//! How a fleet went over time, as a picture: hit ratio above, latency below on a scale of powers of ten, and what
//! happened to Redis.

use std::fmt::Write;

use super::timeline::{Point, Timeline};

/// What happened, in seconds since the epoch of Unix.
#[derive(Default)]
pub struct Events {
    /// From when until when Redis was away.
    pub outage: Option<(f64, f64)>,
    /// When writes were acknowledged, first, or again after the outage.
    pub acknowledged: Option<f64>,
}

const LEFT: f64 = 80.0;
const WIDTH: f64 = 880.0;
const TOP: f64 = 66.0;
/// Of each of the two panels, and between them.
const HEIGHT: f64 = 190.0;
const GAP: f64 = 44.0;
const BOTTOM: f64 = TOP + 2.0 * HEIGHT + GAP;

const GREEN: &str = "#0a7d4f";
const BLUE: &str = "#1f5fbf";
const RED: &str = "#c0392b";

/// An SVG.
pub fn svg(timeline: &Timeline, events: &Events) -> String {
    let mut points: Vec<(f64, &Point)> = timeline.points().collect();
    // The last step was cut short.
    points.truncate(points.len().saturating_sub(1).max(1));
    let begin = points.first().map_or(0.0, |(at, _)| *at);
    let seconds = points.last().map_or(1.0, |(at, _)| at - begin).max(1.0);
    let mut picture = Picture { svg: String::new(), begin, seconds };
    picture.frame();
    picture.events(events);
    picture.hit_ratio(&points);
    picture.latency(&points);
    picture.svg.push_str("</svg>\n");
    picture.svg
}

struct Picture {
    svg: String,
    /// The time at the left edge, and how many seconds there are.
    begin: f64,
    seconds: f64,
}

impl Picture {
    fn add(&mut self, element: &str) {
        self.svg.push_str(element);
        self.svg.push('\n');
    }

    fn x(&self, at: f64) -> f64 {
        LEFT + ((at - self.begin) / self.seconds).clamp(0.0, 1.0) * WIDTH
    }

    /// Paper, title, and the axis of time.
    fn frame(&mut self) {
        let (width, height) = (LEFT + WIDTH + 30.0, BOTTOM + 52.0);
        self.add(&format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="sans-serif" font-size="12">"#
        ));
        self.add(r#"<rect width="100%" height="100%" fill="white"/>"#);
        self.text(
            LEFT,
            24.0,
            "start",
            "#000",
            "A fleet of campus over one Redis: pages read, every quarter of a second",
        );
        let step = [1.0, 2.0, 5.0, 10.0, 20.0, 60.0].into_iter().find(|step| self.seconds / step <= 15.0);
        let step = step.unwrap_or(600.0);
        let mut second = 0.0;
        while second <= self.seconds {
            let x = self.x(self.begin + second);
            self.add(&line(x, BOTTOM, x, BOTTOM + 5.0, "#444", ""));
            self.text(x, BOTTOM + 19.0, "middle", "#444", &format!("{second:.0}"));
            second += step;
        }
        self.text(LEFT + WIDTH / 2.0, BOTTOM + 40.0, "middle", "#000", "time (s)");
    }

    fn events(&mut self, events: &Events) {
        if let Some((from, until)) = events.outage {
            let (from, until) = (self.x(from), self.x(until));
            let (width, height) = (until - from, BOTTOM - TOP);
            self.add(&format!(
                r##"<rect x="{from:.1}" y="{TOP}" width="{width:.1}" height="{height}" fill="#e4e4e4"/>"##
            ));
            self.text((from + until) / 2.0, TOP - 24.0, "middle", "#000", "Redis is away");
            for x in [from, until] {
                self.add(&line(x, TOP - 18.0, x, BOTTOM, "#999", ""));
            }
        }
        if let Some(at) = events.acknowledged {
            let x = self.x(at);
            self.add(&line(x, TOP - 4.0, x, BOTTOM, "#555", r#" stroke-dasharray="4 3""#));
            let name = if events.outage.is_some() {
                "writes are acknowledged again"
            } else {
                "writes are acknowledged"
            };
            self.text(x.min(LEFT + WIDTH - 80.0), TOP - 8.0, "middle", "#555", name);
        }
    }

    fn hit_ratio(&mut self, points: &[(f64, &Point)]) {
        let y = |share: f64| TOP + (1.0 - share) * HEIGHT;
        for percent in [0, 25, 50, 75, 100] {
            self.rule(y(f64::from(percent) / 100.0), &percent.to_string());
        }
        self.axis(TOP, "hit ratio (%)");
        let hits = points.iter().map(|(at, point)| (*at, y(point.hit_ratio())));
        self.curve(hits, GREEN);
    }

    fn latency(&mut self, points: &[(f64, &Point)]) {
        let times: Vec<(f64, [f64; 2])> =
            points.iter().map(|(at, point)| (*at, point.times.within_ms([0.5, 0.99]))).collect();
        let exponents = || times.iter().flat_map(|(_, times)| times).map(|ms| ms.max(1e-3).log10());
        let lowest = exponents().fold(0.0, f64::min).floor();
        let highest = exponents().fold(0.0, f64::max).ceil().max(lowest + 1.0);
        let top = TOP + HEIGHT + GAP;
        let y = |ms: f64| top + (highest - ms.max(1e-3).log10()) / (highest - lowest) * HEIGHT;
        for exponent in lowest as i32..=highest as i32 {
            let ms = 10f64.powi(exponent);
            self.rule(y(ms), &ms.to_string());
        }
        self.axis(top, "latency (ms)");
        for (at, name, colour) in
            [(0, "half of them are quicker (p50)", BLUE), (1, "99 % are quicker (p99)", RED)]
        {
            self.curve(times.iter().map(|(when, times)| (*when, y(times[at]))), colour);
            self.text(LEFT + 6.0 + 200.0 * at as f64, top - 8.0, "start", colour, name);
        }
    }

    /// A line across, and what it stands for.
    fn rule(&mut self, y: f64, label: &str) {
        self.add(&line(LEFT, y, LEFT + WIDTH, y, "#ccc", r#" stroke-width="0.7""#));
        self.text(LEFT - 6.0, y + 4.0, "end", "#444", label);
    }

    /// The name of an axis, along it.
    fn axis(&mut self, top: f64, name: &str) {
        let middle = top + HEIGHT / 2.0;
        self.add(&format!(
            r#"<text x="22" y="{middle}" text-anchor="middle" transform="rotate(-90 22 {middle})">{name}</text>"#
        ));
    }

    fn curve(&mut self, points: impl Iterator<Item = (f64, f64)>, colour: &str) {
        let mut all = String::new();
        for (at, y) in points {
            // Into a text, which takes whatever is written.
            let _ = write!(all, "{:.1},{y:.1} ", self.x(at));
        }
        self.add(&format!(
            r#"<polyline fill="none" stroke="{colour}" stroke-width="1.6" points="{}"/>"#,
            all.trim_end()
        ));
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, colour: &str, text: &str) {
        self.add(&format!(
            r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" fill="{colour}">{text}</text>"#
        ));
    }
}

fn line(x1: f64, y1: f64, x2: f64, y2: f64, colour: &str, more: &str) -> String {
    format!(r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}"{more}/>"#)
}
