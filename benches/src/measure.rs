//! Rounds: in each, every entrant runs one lap, and the next round begins with the next of them.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::race::Entrant;

/// One lap in so many is run beforehand, untimed: the entrants before have used the processor's caches.
const WARM_UP: usize = 20;

/// What one entrant took.
#[derive(Clone, Debug)]
pub struct Times {
    /// Who.
    pub name: &'static str,
    /// Nanoseconds per visit and thread, of one round each, in ascending order.
    pub rounds: Vec<f64>,
    /// The part of all visits that found nothing.
    pub missed: f64,
}

impl Times {
    /// The middle one.
    pub fn median(&self) -> f64 {
        self.rounds[self.rounds.len() / 2]
    }

    /// The least.
    pub fn min(&self) -> f64 {
        self.rounds[0]
    }
}

/// Runs all entrants over `visits`, `rounds` times, on as many threads at once as told. Each thread makes all the
/// visits, beginning at a place of its own. A round takes as long as its slowest thread.
///
/// # Panics
/// Where there are no threads or no rounds, and where an entrant panics.
pub fn measure<K: Sync>(entrants: &[Entrant<K>], visits: &[K], threads: usize, rounds: usize) -> Vec<Times> {
    assert!(threads > 0 && rounds > 0, "nothing to measure");
    let barrier = Barrier::new(threads);
    let laps: Vec<Vec<Timed>> = thread::scope(|scope| {
        let runners: Vec<_> = (0..threads)
            .map(|thread| {
                let runner = Runner { barrier: &barrier, visits, first: visits.len() / threads * thread };
                scope.spawn(move || runner.run(entrants, rounds))
            })
            .collect();
        runners.into_iter().map(|runner| runner.join().expect("an entrant panicked")).collect()
    });
    let times = |(at, entrant): (usize, &Entrant<K>)| {
        let of_round = |round: usize| laps.iter().map(move |laps| laps[at * rounds + round]);
        let slowest = |round| of_round(round).map(|lap| lap.ns).fold(0.0, f64::max) / visits.len() as f64;
        let misses: u64 = (0..rounds).flat_map(of_round).map(|lap| lap.misses).sum();
        let mut times: Vec<f64> = (0..rounds).map(slowest).collect();
        times.sort_unstable_by(f64::total_cmp);
        let missed = misses as f64 / (rounds * threads * visits.len()) as f64;
        Times { name: entrant.name, rounds: times, missed }
    };
    entrants.iter().enumerate().map(times).collect()
}

/// What one lap took on one thread.
#[derive(Clone, Copy, Default)]
struct Timed {
    ns: f64,
    misses: u64,
}

/// One thread, for all rounds.
struct Runner<'r, K> {
    barrier: &'r Barrier,
    visits: &'r [K],
    first: usize,
}

impl<K> Runner<'_, K> {
    /// The laps of all rounds of the first entrant, then those of the second, and so on.
    fn run(&self, entrants: &[Entrant<K>], rounds: usize) -> Vec<Timed> {
        let mut laps = vec![Timed::default(); entrants.len() * rounds];
        for round in 0..rounds {
            for turn in 0..entrants.len() {
                let at = (turn + round) % entrants.len();
                laps[at * rounds + round] = self.lap(&entrants[at]);
            }
        }
        laps
    }

    fn lap(&self, entrant: &Entrant<K>) -> Timed {
        let (before, after) = self.visits.split_at(self.first);
        black_box(entrant.lap(&self.visits[..self.visits.len() / WARM_UP]));
        self.barrier.wait();
        let start = Instant::now();
        let laps = [entrant.lap(after), entrant.lap(before)];
        let ns = start.elapsed().as_nanos() as f64;
        black_box(laps.map(|lap| lap.sum));
        Timed { ns, misses: laps.iter().map(|lap| lap.misses).sum() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::contender::Lap;

    #[test]
    fn every_thread_makes_every_visit_in_every_round() {
        static VISITS: AtomicUsize = AtomicUsize::new(0);
        let entrant = Entrant::new("counter", |keys: &[u64]| {
            VISITS.fetch_add(keys.len(), Ordering::Relaxed);
            Lap { misses: keys.iter().filter(|key| **key == 0).count() as u64, sum: 0 }
        });
        let keys: Vec<u64> = (0..100).collect();
        let times = measure(&[entrant], &keys, 2, 3);
        // 2 threads, 3 rounds, 100 visits, and 5 more to warm up.
        assert_eq!(VISITS.load(Ordering::Relaxed), 2 * 3 * 105);
        assert_eq!(times[0].rounds.len(), 3);
        assert!((times[0].missed - 0.01).abs() < 1e-9);
    }
}
