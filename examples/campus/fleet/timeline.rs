//! How it went over time: hits and latencies, a quarter of a second after the other.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::times::Times;

const STEP: Duration = Duration::from_millis(250);

/// What was read in one step.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Point {
    pub hits: usize,
    pub times: Times,
}

/// Steps by their number since the epoch of Unix, so that those of several processes fit together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timeline(BTreeMap<u64, Point>);

/// The time since the epoch of Unix.
#[allow(clippy::disallowed_methods, reason = "it is the one clock that several processes share")]
pub fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl Timeline {
    pub fn read(&mut self, time: Duration, hit: bool) {
        let step = (now().as_millis() / STEP.as_millis()) as u64;
        let point = self.0.entry(step).or_default();
        point.hits += usize::from(hit);
        point.times.push(time);
    }

    pub fn absorb(&mut self, other: Self) {
        for (step, theirs) in other.0 {
            let mine = self.0.entry(step).or_default();
            mine.hits += theirs.hits;
            mine.times.absorb(theirs.times);
        }
    }

    /// The points, each at the middle of its step.
    pub fn points(&self) -> impl Iterator<Item = (f64, &Point)> {
        let middle = |step: u64| (step as f64 + 0.5) * STEP.as_secs_f64();
        self.0.iter().map(move |(step, point)| (middle(*step), point))
    }

    /// All points as one.
    pub fn total(&self) -> Point {
        let mut total = Point::default();
        for point in self.0.values() {
            total.hits += point.hits;
            total.times.absorb(point.times.clone());
        }
        total
    }
}

impl Point {
    pub fn reads(&self) -> usize {
        self.times.len()
    }

    /// From 0 to 1.
    pub fn hit_ratio(&self) -> f64 {
        if self.reads() == 0 { 0.0 } else { self.hits as f64 / self.reads() as f64 }
    }
}
