//! How long single operations take: entrants in turn, each operation timed.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use crate::race::Entrant;
use crate::samples::{Samples, Sorted};

/// So many visits of an entrant before it is another's turn.
const TURN: usize = 20_000;

/// The times of every entrant's single visits, on `threads` threads at once, over `rounds` turns of each.
///
/// # Panics
/// Where an entrant panics.
pub fn latencies<K: Sync>(
    entrants: &[Entrant<K>],
    visits: &[K],
    threads: usize,
    rounds: usize,
) -> Vec<Sorted> {
    let barrier = Barrier::new(threads);
    let mut all: Vec<Samples> = vec![Samples::default(); entrants.len()];
    let of_threads: Vec<Vec<Samples>> = thread::scope(|scope| {
        let runners: Vec<_> = (0..threads)
            .map(|thread| {
                let (barrier, first) = (&barrier, visits.len() * thread / threads);
                scope.spawn(move || run(entrants, visits, first, rounds, barrier))
            })
            .collect();
        runners.into_iter().map(|runner| runner.join().expect("an entrant panicked")).collect()
    });
    for (of_entrant, samples) in of_threads.into_iter().flat_map(|samples| samples.into_iter().enumerate()) {
        all[of_entrant].absorb(samples);
    }
    all.into_iter().map(Samples::sorted).collect()
}

fn run<K>(
    entrants: &[Entrant<K>],
    visits: &[K],
    first: usize,
    rounds: usize,
    barrier: &Barrier,
) -> Vec<Samples> {
    let mut samples = vec![Samples::default(); entrants.len()];
    let turns = visits.chunks(TURN).collect::<Vec<_>>();
    for round in 0..rounds {
        let turn = turns[(first / TURN + round) % turns.len()];
        for (entrant, samples) in entrants.iter().zip(&mut samples) {
            barrier.wait();
            for visit in turn {
                let began = Instant::now();
                black_box(entrant.lap(std::slice::from_ref(visit)).sum);
                samples.add(began.elapsed());
            }
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contender::Lap;

    #[test]
    fn every_visit_is_a_sample() {
        let entrant = Entrant::new("slow at times", |keys: &[u64]| {
            if keys[0].is_multiple_of(100) {
                thread::sleep(std::time::Duration::from_millis(2));
            }
            Lap::default()
        });
        let visits: Vec<u64> = (0..200).collect();
        let times = latencies(&[entrant], &visits, 2, 1);
        assert!(times[0].at(0.98) < 2_000_000 && times[0].at(0.995) >= 2_000_000);
    }
}
