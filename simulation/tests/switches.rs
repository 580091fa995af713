//! Whatever larder's promises rest on is broken, one mechanism at a time, and each time it must be found.

use larder_simulation::check::check;
use larder_simulation::plan::Plan;
use larder_simulation::run::run;
use larder_simulation::switch::Switch;

/// How many seeds it may take to find it.
const SEEDS: u64 = 1000;

#[test]
fn whatever_is_broken_is_found() {
    let mut missed = Vec::new();
    for (switch, guarantee) in Switch::ALL {
        let found = (0..SEEDS).find(|seed| {
            let broken = check(&run(&Plan::of(*seed), Some(switch)));
            // By a promise, and not by something that never ended; and by nothing that is there without it.
            broken.iter().any(|broken| broken.guarantee != "L")
                && check(&run(&Plan::of(*seed), None)).is_empty()
        });
        match found {
            Some(seed) => println!("{switch:?} ({guarantee}): found by seed {seed}"),
            None => missed.push(switch),
        }
    }
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}
