//! Each target over some thousand pseudo-random inputs: that it runs, and finds nothing at a glance.

use std::time::{Duration, Instant};

/// Enough to find what is badly broken, and over in seconds also without optimisation.
const INPUTS: usize = 4000;
/// A matcher that takes exponential time would not be done in years.
const LIMIT: Duration = Duration::from_secs(120);

/// Xorshift: the same inputs in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Half of the bytes are small: those stand for what matters to the targets.
    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.next() as usize % most;
        let small = !self.next().is_multiple_of(4);
        (0..length).map(|_| (self.next() >> 32) as u8 % if small { 16 } else { 255 }).collect()
    }
}

fn smoke(target: fn(&[u8]), most: usize) {
    let (mut random, began) = (Random(88_172_645_463_325_252), Instant::now());
    for _ in 0..INPUTS {
        target(&random.bytes(most));
        assert!(began.elapsed() < LIMIT, "too slow");
    }
}

#[test]
fn keys() {
    smoke(larder_fuzz::keys, 120);
}

#[test]
fn patterns() {
    smoke(larder_fuzz::patterns, 60);
}

#[test]
fn operations() {
    smoke(larder_fuzz::operations, 400);
}

#[test]
fn envelopes() {
    smoke(larder_fuzz::envelopes, 300);
}
