//! Whether memory stays flat.

/// The resident memory of this process in KiB; 0 where the system does not say.
pub fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse().ok()).unwrap_or(0)
}

/// Resident memory over time.
#[derive(Debug, Default)]
pub struct Flatness(Vec<u64>);

impl Flatness {
    /// One more sample.
    pub fn add(&mut self, kb: u64) {
        self.0.push(kb);
    }

    /// How much more the last third of the time took than the middle third, per cent; nothing with too few samples.
    pub fn growth(&self) -> Option<f64> {
        let third = self.0.len() / 3;
        let mean = |samples: &[u64]| samples.iter().sum::<u64>() as f64 / samples.len() as f64;
        let (middle, last) = (self.0.get(third..2 * third)?, self.0.get(2 * third..)?);
        (third > 0).then(|| 100.0 * (mean(last) / mean(middle) - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_that_of_the_last_third() {
        let growth = |samples: &[u64]| Flatness(samples.to_vec()).growth();
        assert_eq!(growth(&[1, 2]), None);
        assert_eq!(growth(&[1, 1, 100, 100, 100, 100]), Some(0.0));
        assert_eq!(growth(&[1, 1, 100, 100, 150, 150]), Some(50.0));
        assert!(resident_kb() > 0);
    }
}
