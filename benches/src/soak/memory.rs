//! Whether memory stays flat.
//!
//! Two measures. *Live* bytes are what was allocated and not given back: exact, and a leak in Rust code shows here whatever
//! the allocator does. *Resident* memory is what the process has from the system. It also holds the holes in the
//! allocator's heaps, of which each thread has its own: a table that is given back leaves a hole in the heap of the thread
//! that let it grow, and grows again in another's. That levels off, but not soon, so resident memory is held against the
//! live peak and not against itself: what grows without end, and is not live, passes any multiple of it.

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

impl Flatness {
    /// One more sample.
    pub fn add(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// The bytes that the samples themselves take.
    pub fn size(&self) -> usize {
        self.0.capacity() * size_of::<Sample>()
    }

    /// How much more bytes were live in the last third of the time than in the middle third, at most, per cent; nothing with
    /// too few samples. Peaks are compared: a cache that is emptied now and then, and filled faster or slower as the
    /// machine has time, has its peak when it is full, which is the same each time.
    pub fn growth(&self) -> Option<f64> {
        let third = self.0.len() / 3;
        let (middle, last) = (self.0.get(third..2 * third)?, self.0.get(2 * third..)?);
        let growth = || 100.0 * (peak(last, |s| s.live) as f64 / peak(middle, |s| s.live) as f64 - 1.0);
        (third > 0).then(growth)
    }

    /// The most bytes that were ever live, and resident.
    pub fn peaks(&self) -> (usize, usize) {
        (peak(&self.0, |s| s.live), peak(&self.0, |s| s.resident))
    }
}

fn peak(samples: &[Sample], of: fn(&Sample) -> usize) -> usize {
    samples.iter().map(of).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flatness(live: &[usize]) -> Flatness {
        Flatness(live.iter().map(|live| Sample { live: *live, allocations: 0, resident: 2 * live }).collect())
    }

    #[test]
    fn growth_is_that_of_the_peak_of_the_last_third() {
        assert_eq!(flatness(&[1, 2]).growth(), None);
        assert_eq!(flatness(&[1, 1, 100, 7, 7, 100]).growth(), Some(0.0));
        assert_eq!(flatness(&[200, 1, 7, 100, 7, 150]).growth(), Some(50.0));
        assert_eq!(flatness(&[200, 1, 7, 100, 7, 150]).peaks(), (200, 400));
        assert!(Sample::now(Stats::default()).resident > 0);
    }
}
