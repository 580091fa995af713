//! Rounds: in each, every entrant runs one lap, and the next round begins with the next of them.
//!
//! Laps are short and rounds are many, so that on a machine with other work some laps are still left alone.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::race::Entrant;

/// The stream is cut into so many laps; each round takes the next.
const LAPS: usize = 10;
/// The last part of the lap before is run untimed: the other entrants have used the processor's caches meanwhile.
const WARM_UP: usize = 4;

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

/// Runs all entrants over `visits`, a tenth in each round, on as many threads at once as told, each of which begins
/// at a place of its own. A round takes as long as its slowest thread.
///
/// # Panics
/// Where there is nothing to measure, and where an entrant panics.
pub fn measure<K: Sync>(entrants: &[Entrant<K>], visits: &[K], threads: usize, rounds: usize) -> Vec<Times> {
    assert!(threads > 0 && rounds > 0 && visits.len() >= LAPS, "nothing to measure");
    let laps: Vec<&[K]> = visits.chunks_exact(visits.len() / LAPS).take(LAPS).collect();
    let visits = laps[0].len();
    let barrier = Barrier::new(threads);
    let timed: Vec<Vec<Timed>> = thread::scope(|scope| {
        let runners: Vec<_> = (0..threads)
            .map(|thread| {
                let runner = Runner { barrier: &barrier, laps: &laps, first: LAPS * thread / threads };
                scope.spawn(move || runner.run(entrants, rounds))
            })
            .collect();
        runners.into_iter().map(|runner| runner.join().expect("an entrant panicked")).collect()
    });
    let times = |(at, entrant): (usize, &Entrant<K>)| {
        let of_round = |round: usize| timed.iter().map(move |laps| laps[at * rounds + round]);
        let slowest = |round| of_round(round).map(|lap| lap.ns).fold(0.0, f64::max) / visits as f64;
        let misses: u64 = (0..rounds).flat_map(of_round).map(|lap| lap.misses).sum();
        let mut times: Vec<f64> = (0..rounds).map(slowest).collect();
        times.sort_unstable_by(f64::total_cmp);
        let missed = misses as f64 / (rounds * threads * visits) as f64;
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
    laps: &'r [&'r [K]],
    /// The lap of the first round.
    first: usize,
}

impl<K> Runner<'_, K> {
    /// The laps of all rounds of the first entrant, then those of the second, and so on.
    fn run(&self, entrants: &[Entrant<K>], rounds: usize) -> Vec<Timed> {
        let mut timed = vec![Timed::default(); entrants.len() * rounds];
        for round in 0..rounds {
            for turn in 0..entrants.len() {
                let at = (turn + round) % entrants.len();
                timed[at * rounds + round] = self.lap(&entrants[at], self.first + round);
            }
        }
        timed
    }

    fn lap(&self, entrant: &Entrant<K>, round: usize) -> Timed {
        let lap = |round| self.laps[round % LAPS];
        let before = lap(round + LAPS - 1);
        black_box(entrant.lap(&before[before.len() - before.len() / WARM_UP..]));
        self.barrier.wait();
        let start = Instant::now();
        let lap = entrant.lap(lap(round));
        let ns = start.elapsed().as_nanos() as f64;
        black_box(lap.sum);
        Timed { ns, misses: lap.misses }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::contender::Lap;

    #[test]
    fn a_round_is_a_lap_on_every_thread() {
        static VISITS: AtomicUsize = AtomicUsize::new(0);
        let entrant = Entrant::new("counter", |keys: &[u64]| {
            VISITS.fetch_add(keys.len(), Ordering::Relaxed);
            Lap { misses: keys.iter().filter(|key| **key % 40 == 39).count() as u64, sum: 0 }
        });
        let keys: Vec<u64> = (0..400).collect();
        let times = measure(&[entrant], &keys, 2, 3);
        // 2 threads, 3 rounds, 40 visits, and 10 more to warm up.
        assert_eq!(VISITS.load(Ordering::Relaxed), 2 * 3 * 50);
        assert_eq!(times[0].rounds.len(), 3);
        assert!((times[0].missed - 1.0 / 40.0).abs() < 1e-9);
    }
}
