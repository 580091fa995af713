//! Keys, and the order in which they are visited: made before any clock runs.

/// A generator of pseudo-random numbers (xorshift64): seeded, so that every run sees the same stream.
pub(crate) struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// In `0.0..1.0`.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// Keys of 17 bytes, and visits to them in Zipf's proportions.
pub struct Stream {
    keys: Vec<String>,
    order: Vec<u32>,
}

impl Stream {
    /// `visits` visits to `keys` keys, Zipf with exponent 1. Which key is how popular is drawn as well.
    ///
    /// # Panics
    /// Where there are no keys, or more than ten million.
    pub fn zipf(keys: u32, visits: usize) -> Self {
        assert!((1..=10_000_000).contains(&keys), "keys have seven digits");
        let mut random = Random(88_172_645_463_325_252);
        let mut by_rank: Vec<u32> = (0..keys).collect();
        for at in (1..by_rank.len()).rev() {
            by_rank.swap(at, random.below(at + 1));
        }
        let mut total = 0.0;
        let cumulated: Vec<f64> = (1..=keys)
            .map(|rank| {
                total += 1.0 / f64::from(rank);
                total
            })
            .collect();
        let mut draw = || {
            let at = random.unit() * total;
            by_rank[cumulated.partition_point(|weight| *weight < at).min(by_rank.len() - 1)]
        };
        let order = (0..visits).map(|_| draw()).collect();
        Self { keys: (0..keys).map(|id| format!("user:{id:07}:prof")).collect(), order }
    }

    /// All keys, once.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// The keys in the order of the visits.
    pub fn visits(&self) -> Vec<&str> {
        self.order.iter().map(|id| &*self.keys[*id as usize]).collect()
    }

    /// The numbers of the keys in the order of the visits.
    pub fn ids(&self) -> Vec<u64> {
        self.order.iter().map(|id| u64::from(*id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn visits_are_in_zipfs_proportions() {
        let stream = Stream::zipf(1000, 100_000);
        let mut counts: HashMap<&str, u32> = HashMap::new();
        for key in stream.visits() {
            assert_eq!(key.len(), 17);
            *counts.entry(key).or_default() += 1;
        }
        let mut counts: Vec<u32> = counts.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        // The harmonic number of 1000 is 7.485: the first key has 13.4 % of all visits, the tenth a tenth of that.
        assert!(counts[0].abs_diff(13_360) < 500, "{}", counts[0]);
        assert!(counts[9].abs_diff(1336) < 150, "{}", counts[9]);
    }
}
