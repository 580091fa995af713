//! Measured times, and what of them is printed.

use std::time::Duration;

/// Times of one kind, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<u32>);

impl Samples {
    /// One more.
    #[inline]
    pub fn add(&mut self, time: Duration) {
        self.0.push(u32::try_from(time.as_nanos()).unwrap_or(u32::MAX));
    }

    /// All of another's.
    pub fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// In ascending order.
    pub fn sorted(mut self) -> Sorted {
        self.0.sort_unstable();
        Sorted(self.0)
    }
}

/// [`Samples`] in ascending order.
#[derive(Clone, Debug)]
pub struct Sorted(Vec<u32>);

impl Sorted {
    /// The time that a part of all samples does not exceed: `0.5` is the median, `1.0` the greatest.
    pub fn at(&self, part: f64) -> u32 {
        let rank = (self.0.len() as f64 * part).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }
}

/// Nanoseconds as people read them.
pub fn readable(ns: u32) -> String {
    match ns {
        0..10_000 => format!("{ns} ns"),
        10_000..10_000_000 => format!("{:.1} µs", f64::from(ns) / 1e3),
        _ => format!("{:.1} ms", f64::from(ns) / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_sample_of_that_rank() {
        let mut samples = Samples::default();
        (1..=1000).rev().for_each(|ns| samples.add(Duration::from_nanos(ns)));
        let sorted = samples.sorted();
        assert_eq!([0.5, 0.99, 0.999, 1.0].map(|part| sorted.at(part)), [500, 990, 999, 1000]);
        assert_eq!(Samples::default().sorted().at(0.5), 0);
    }
}
