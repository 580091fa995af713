//! Thousands of worlds, and what each of them must show.
//!
//! `LARDER_SEEDS=100000 cargo test -p larder-simulation --release --test seeds` runs as many as it says.

use std::thread;

use larder_simulation::check::check;
use larder_simulation::plan::Plan;
use larder_simulation::run::{Ran, run};

/// As many as a test command has time for.
const SEEDS: u64 = 2_000;

fn seeds() -> u64 {
    std::env::var("LARDER_SEEDS").ok().map_or(SEEDS, |text| text.parse().expect("LARDER_SEEDS is a number"))
}

/// Runs all seeds on two threads, each seed in one.
fn all(each: impl Fn(u64, Ran) -> u64 + Sync) -> u64 {
    thread::scope(|scope| {
        let part = |odd| {
            let each = &each;
            scope.spawn(move || {
                (0..seeds())
                    .filter(|seed| seed % 2 == odd)
                    .map(|seed| each(seed, run(&Plan::of(seed), None)))
                    .sum::<u64>()
            })
        };
        let (even, odd) = (part(0), part(1));
        even.join().expect("no seed panics") + odd.join().expect("no seed panics")
    })
}

#[test]
fn every_promise_is_kept() {
    let hits = all(|seed, ran| {
        let broken = check(&ran);
        assert!(broken.is_empty(), "seed {seed} (`cargo run -p larder-simulation {seed}`): {broken:#?}");
        ran.history.reads.iter().filter(|read| read.got.is_some_and(|got| got.version > 1)).count() as u64
    });
    assert!(hits > 100 * seeds(), "{hits} reads of anything that had changed: this shows nothing");
}

#[test]
fn a_seed_always_runs_in_the_same_way() {
    for seed in 0..50 {
        let [first, second] = [(); 2].map(|()| format!("{:?}", run(&Plan::of(seed), None)));
        assert!(first == second, "seed {seed} ran in two ways");
    }
}
