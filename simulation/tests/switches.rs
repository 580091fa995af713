//! Whatever larder's promises rest on is broken, one mechanism at a time, and each time it must be found.

use std::thread;

use larder_simulation::check::check;
use larder_simulation::plan::Plan;
use larder_simulation::run::run;
use larder_simulation::switch::Switch;

/// How many seeds it may take to find it.
const SEEDS: u64 = 1000;

#[test]
fn whatever_is_broken_is_found() {
    let (even, odd): (Vec<_>, Vec<_>) = Switch::ALL.iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let missed: Vec<Switch> = thread::scope(|scope| {
        let halves = [even, odd]
            .map(|half| scope.spawn(|| half.into_iter().filter_map(|(_, it)| missed(*it)).collect()));
        halves.into_iter().flat_map(|half| -> Vec<Switch> { half.join().expect("no seed panics") }).collect()
    });
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}

/// The switch, if it is not found.
fn missed((switch, guarantee): (Switch, &str)) -> Option<Switch> {
    let found = (0..SEEDS).find(|seed| {
        let broken = check(&run(&Plan::of(*seed), Some(switch)));
        // By a promise, and not by something that never ended; and by nothing that is there without it.
        broken.iter().any(|broken| broken.guarantee != "L") && check(&run(&Plan::of(*seed), None)).is_empty()
    });
    match found {
        Some(seed) => println!("{switch:?} ({guarantee}): found by seed {seed}"),
        None => return Some(switch),
    }
    None
}
