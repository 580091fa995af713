//! How long many things took.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// In microseconds, each of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Times(Vec<u32>);

impl Times {
    pub fn push(&mut self, time: Duration) {
        self.0.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How many took any time at all.
    pub fn above_zero(&self) -> usize {
        self.0.iter().filter(|&&micros| micros > 0).count()
    }

    /// The times within which these shares of them were over, in milliseconds; 1.0 asks for the longest.
    pub fn within_ms<const N: usize>(&self, shares: [f64; N]) -> [f64; N] {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        shares.map(|share| {
            let at = (sorted.len() as f64 * share) as usize;
            let micros = sorted.get(at.min(sorted.len().saturating_sub(1)));
            micros.map_or(0.0, |&micros| f64::from(micros) / 1e3)
        })
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<I: IntoIterator<Item = Duration>>(all: I) -> Self {
        let mut times = Self::default();
        all.into_iter().for_each(|time| times.push(time));
        times
    }
}
