//! Whether memory stays flat.
//!
//! Two measures. *Live* bytes are what was allocated and not given back: exact, and a leak in Rust code shows here whatever
//! the allocator does. *Resident* memory is what the process has from the system: it also holds the holes in the
//! allocator's heaps, and what did not come from the allocator. Programs that give large tables back and take them again
//! can make it grow though nothing leaks, so it is allowed more, but it must level off too.

use stats_alloc::Stats;

/// What the process had at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Bytes allocated and not given back.
    pub live: usize,
    /// In so many allocations.
    pub allocations: usize,
    /// Bytes of resident memory; 0 where the system does not say.
    pub resident: usize,
}

impl Sample {
    /// Now, `stats` being the allocator's.
    pub fn now(stats: Stats) -> Self {
        // The counts are not read at one moment, and threads go on: what was given back may be ahead.
        Self {
            live: stats.bytes_allocated.saturating_sub(stats.bytes_deallocated),
            allocations: stats.allocations.saturating_sub(stats.deallocations),
            resident: resident_kb() * 1024,
        }
    }
}

fn resident_kb() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse().ok()).unwrap_or(0)
}

/// Memory over time.
#[derive(Debug, Default)]
pub struct Flatness(Vec<Sample>);

/// How much the last third of the time took more than the middle third, at most, per cent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// Of live bytes.
    pub live: f64,
    /// Of resident memory.
    pub resident: f64,
}

impl Flatness {
    /// One more sample.
    pub fn add(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// The bytes that the samples themselves take.
    pub fn size(&self) -> usize {
        self.0.capacity() * size_of::<Sample>()
    }

    /// The growth; nothing with too few samples. Peaks are compared: a cache that is emptied now and then, and filled
    /// faster or slower as the machine has time, has its peak when it is full, which is the same each time.
    pub fn growth(&self) -> Option<Growth> {
        let third = self.0.len() / 3;
        let (middle, last) = (self.0.get(third..2 * third)?, self.0.get(2 * third..)?);
        let peak = |samples: &[Sample], of: fn(&Sample) -> usize| samples.iter().map(of).max().unwrap_or(0);
        let growth = |of| 100.0 * (peak(last, of) as f64 / peak(middle, of) as f64 - 1.0);
        (third > 0).then(|| Growth { live: growth(|s| s.live), resident: growth(|s| s.resident) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(live: &[usize], resident: &[usize]) -> Option<Growth> {
        let sample =
            |(live, resident): (&usize, &usize)| Sample { live: *live, allocations: 0, resident: *resident };
        Flatness(live.iter().zip(resident).map(sample).collect()).growth()
    }

    #[test]
    fn growth_is_that_of_the_last_third() {
        let flat = [100; 6];
        assert_eq!(growth(&[1, 2], &[1, 2]), None);
        assert_eq!(growth(&[1, 1, 100, 7, 7, 100], &flat), Some(Growth { live: 0.0, resident: 0.0 }));
        assert_eq!(growth(&[1, 1, 7, 100, 7, 150], &flat), Some(Growth { live: 50.0, resident: 0.0 }));
        assert_eq!(growth(&flat, &[1, 1, 100, 7, 7, 150]), Some(Growth { live: 0.0, resident: 50.0 }));
        assert!(Sample::now(Stats::default()).resident > 0);
    }
}
