//! Real processes over a real Redis, under load, with faults: what each of them read is held against what was promised.
//! Features `redis-cluster` and `redis-sentinel`.
//!
//! ```text
//! cargo test --all-features --test processes                                       # 12 seconds of faults each
//! LARDER_SECONDS=600 cargo test --all-features --test processes -- --nocapture     # longer
//! LARDER_SEED=7 cargo test --all-features --test processes one_redis               # the same faults again
//! ```
//!
//! A seed gives the same faults at about the same times; what the processes make of them is theirs.

#![cfg(all(feature = "redis-cluster", feature = "redis-sentinel"))]

#[path = "../../backend-redis/tests/common/mod.rs"]
mod common;
#[path = "../../backend-redis/tests/common/nodes.rs"]
mod nodes;
#[path = "../../backend-redis/tests/common/proxy.rs"]
mod proxy;
#[path = "../../backend-redis/tests/common/service.rs"]
mod service;

mod check;
mod deaf;
mod far;
mod fault;
mod fleet;
mod node;
mod record;
mod source;
mod stampede;

use std::env;
use std::thread;
use std::time::Duration;

use check::History;
use deaf::To;
use far::One;
use fastrand::Rng;
use fault::{Far, Fault};
use fleet::Fleet;
use nodes::Nodes;

const NODES: usize = 4;
/// When all are there, before anything is done to anybody.
const CALM: Duration = Duration::from_secs(2);

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|number| number.parse().expect("a number"))
}

/// What is done to processes and to what is behind them.
type Harm<'a> = &'a mut dyn FnMut(&mut Fleet, &mut dyn Far) -> Vec<Fault>;

/// Lets processes work while they are harmed, and looks at what they saw: what was not as it should be, in words.
fn run(
    far: &mut dyn Far,
    seed: u64,
    deaf: Option<(usize, To)>,
    harm: Harm<'_>,
) -> (History, Vec<String>, Fleet) {
    let places = (0..NODES).map(|node| far.place(node)).collect();
    let mut fleet = Fleet::start("node::process", places, seed, deaf);
    // The first change in a fleet's life is acknowledged when seconds have passed.
    fleet.until_all_are("ready");
    thread::sleep(CALM);
    let faults = harm(&mut fleet, far);
    let mut troubles = fleet.end();
    // For who looks at the records of a test that failed.
    std::fs::write(fleet.dir.join("faults"), format!("{faults:#?}")).expect("written");
    let history = History::new(fleet.recorded(), faults);
    troubles.extend(history.broken());
    (history, troubles, fleet)
}

fn nothing_is_stale(far: &mut dyn Far) {
    let seed = number("LARDER_SEED").unwrap_or_else(|| fastrand::u64(..100_000));
    let harmed = Duration::from_secs(number("LARDER_SECONDS").unwrap_or(12));
    let (history, troubles, fleet) = run(far, seed, None, &mut |fleet, far| {
        fault::harm(fleet, far, NODES, harmed, &mut Rng::with_seed(seed))
    });
    println!("LARDER_SEED={seed}: {}", history.summary());
    assert!(
        troubles.is_empty(),
        "LARDER_SEED={seed}, {}: {}\n{} in all; the records are in {}",
        history.summary(),
        troubles[..troubles.len().min(5)].join("\n"),
        troubles.len(),
        fleet.dir.display()
    );
    assert!(history.near() > 100 && history.acknowledged() > 0, "this shows nothing: {}", history.summary());
    fleet::remove(&fleet.dir);
}

#[test]
fn one_redis() {
    nothing_is_stale(&mut One::start(NODES));
}

#[test]
fn a_cluster_of_three() {
    nothing_is_stale(&mut Nodes::start(0));
}

#[test]
fn a_service_that_fails_over() {
    nothing_is_stale(&mut far::service());
}

/// Process 1 does not hear something: it, and nobody else, reads what is acknowledged to be over.
fn is_found(to: To, harm: Harm<'_>) {
    let (history, troubles, fleet) = run(&mut One::start(NODES), 1, Some((1, to)), harm);
    println!("deaf to {to:?}: {} broken promises; {}", troubles.len(), history.summary());
    assert!(troubles.iter().any(|what| what.starts_with("acked")), "{}: {troubles:?}", history.summary());
    let others = troubles.iter().find(|what| !what.contains("Who { node: 1, life: 0 } Read"));
    assert_eq!(others, None, "{}", history.summary());
    fleet::remove(&fleet.dir);
}

#[test]
fn a_process_that_does_not_hear_notices_is_found() {
    is_found(To::Notices, &mut |_, _| Vec::new());
}

#[test]
fn a_process_that_does_not_hear_that_it_is_cut_off_is_found() {
    is_found(To::Loss, &mut |_, far| vec![fault::mute(far, 1, Duration::from_secs(7))]);
}
