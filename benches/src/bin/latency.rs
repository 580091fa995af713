//! Prints percentiles of single operations.

use std::process::ExitCode;

use larder_benches::arguments::parse;
use larder_benches::contender::Lap;
use larder_benches::latency::latencies;
use larder_benches::race::{Entrant, REFERENCE, Race};
use larder_benches::samples::readable;

const USAGE: &str = "\
usage: latency [--rounds N]

Times single operations, a hit and a get-or-insert under eviction, on one thread and on two; N turns of 20 000 operations
of each library, one after the other (default 25). The clock's own cost is in every figure; the first row shows it.";

fn main() -> ExitCode {
    let mut rounds = 25;
    if !parse(USAGE, &mut [("--rounds", &mut rounds)]) {
        return ExitCode::FAILURE;
    }
    for race in [Race::Hit, Race::GetOrInsert] {
        let stream = race.stream(race.visits());
        let mut entrants = vec![Entrant::new("the clock alone", |_: &[&str]| Lap::default())];
        entrants.extend(race.entrants(&stream));
        for threads in [1, 2] {
            let s = if threads == 1 { "" } else { "s" };
            println!("### {}: {}; {threads} thread{s}\n", race.name(), race.about());
            println!(
                "| one operation | p50 | p99 | p99.9 | worst | p99 to {REFERENCE}'s | p99.9 to {REFERENCE}'s |"
            );
            println!("|---|---:|---:|---:|---:|---:|---:|");
            let times = latencies(&entrants, &stream.visits(), threads, rounds);
            let reference = entrants.iter().position(|entrant| entrant.name == REFERENCE).expect("it runs");
            for (entrant, sorted) in entrants.iter().zip(&times) {
                let ratio = |part| f64::from(sorted.at(part)) / f64::from(times[reference].at(part).max(1));
                let [p50, p99, p999, worst] = [0.5, 0.99, 0.999, 1.0].map(|part| readable(sorted.at(part)));
                let (p99s, p999s) = (ratio(0.99), ratio(0.999));
                println!("| {} | {p50} | {p99} | {p999} | {worst} | {p99s:.2} | {p999s:.2} |", entrant.name);
            }
            println!();
        }
    }
    ExitCode::SUCCESS
}
