//! How it went over time: hits and latencies, a quarter of a second after the other.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

const STEP: Duration = Duration::from_millis(250);

/// What was read in one step of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Point {
    pub reads: usize,
    pub hits: usize,
    /// In microseconds, each of them.
    pub times: Vec<u32>,
}

/// Steps by their number since the epoch of Unix, so that those of several processes fit together.
#[derive(Debug, Default)]
pub struct Timeline(Mutex<BTreeMap<u64, Point>>);

/// The number of the step that it is now.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_millis() / STEP.as_millis()) as u64
}

/// The time at which a step begins, from the first one on.
pub fn seconds(step: u64, first: u64) -> f64 {
    step.saturating_sub(first) as f64 * STEP.as_secs_f64()
}

impl Timeline {
    pub fn read(&self, time: Duration, hit: bool) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let point = steps.entry(now()).or_default();
        point.reads += 1;
        point.hits += usize::from(hit);
        point.times.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn into_points(self) -> BTreeMap<u64, Point> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Point {
    pub fn absorb(&mut self, other: Self) {
        self.reads += other.reads;
        self.hits += other.hits;
        self.times.extend(other.times);
    }

    pub fn hit_ratio(&self) -> f64 {
        if self.reads == 0 { 0.0 } else { self.hits as f64 / self.reads as f64 }
    }

    /// The time within which so many in a hundred were answered, in milliseconds.
    pub fn percentile_ms(&mut self, share: usize) -> f64 {
        self.times.sort_unstable();
        let at = (self.times.len() * share / 100).min(self.times.len().saturating_sub(1));
        self.times.get(at).map_or(0.0, |micros| f64::from(*micros) / 1e3)
    }
}
