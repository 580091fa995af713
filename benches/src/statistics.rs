//! The same entrants under criterion, on one thread: for a closer look at one change, since criterion runs them one
//! after another and compares each with itself in the last run.

use criterion::{Criterion, Throughput};

use crate::race::Race;

/// Short enough that a lap is a sample's part, long enough that it is no loop over a few keys.
const VISITS: usize = 50_000;

/// All entrants of `race`, with criterion's own command line.
pub fn run(race: Race) {
    let mut criterion = Criterion::default().configure_from_args();
    let stream = race.stream(VISITS);
    let visits = stream.visits();
    let mut group = criterion.benchmark_group(race.name());
    group.throughput(Throughput::Elements(visits.len() as u64));
    for entrant in race.entrants(&stream) {
        group.bench_function(entrant.name, |bencher| bencher.iter(|| entrant.lap(&visits)));
    }
    group.finish();
    criterion.final_summary();
}
