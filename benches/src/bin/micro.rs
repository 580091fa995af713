//! Prints the tables of `docs/benchmarks.md`.

use std::process::ExitCode;

use larder_benches::functions;
use larder_benches::measure::{Times, measure};
use larder_benches::race::{Entrant, REFERENCE, Race};
use larder_benches::table::Table;

const USAGE: &str = "usage: micro [hit|miss|get_or_insert|insert|cached_fn|all] [--rounds N] [--visits N] [--threads N]... [--only NAME]";

/// What the command line asks for.
struct Options {
    races: Vec<Race>,
    functions: bool,
    rounds: usize,
    /// Instead of each race's own number.
    visits: Option<usize>,
    threads: Vec<usize>,
    /// The name of an entrant that runs alone, to look at it with a profiler. Empty: all run.
    only: String,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            races: Vec::new(),
            functions: false,
            rounds: 101,
            visits: None,
            threads: Vec::new(),
            only: String::new(),
        };
        while let Some(argument) = arguments.next() {
            let mut number = || arguments.next()?.parse().ok().filter(|number| *number > 0);
            match &*argument {
                "--rounds" => options.rounds = number()?,
                "--visits" => options.visits = Some(number()?),
                "--threads" => options.threads.push(number()?),
                "--only" => options.only = arguments.next()?,
                "cached_fn" => options.functions = true,
                "all" => (options.races, options.functions) = (Race::ALL.to_vec(), true),
                name => options.races.push(Race::ALL.into_iter().find(|race| race.name() == name)?),
            }
        }
        if options.races.is_empty() && !options.functions {
            (options.races, options.functions) = (Race::ALL.to_vec(), true);
        }
        if options.threads.is_empty() {
            options.threads = vec![1, 2];
        }
        Some(options)
    }

    fn measure<K: Sync>(&self, mut entrants: Vec<Entrant<K>>, visits: &[K]) -> Vec<(usize, Vec<Times>)> {
        entrants.retain(|entrant| self.only.is_empty() || entrant.name == self.only);
        let run = |threads: &usize| (*threads, measure(&entrants, visits, *threads, self.rounds));
        self.threads.iter().map(run).collect()
    }

    fn race(&self, race: Race) {
        let stream = race.stream(self.visits.unwrap_or(race.visits()));
        let runs = self.measure(race.entrants(&stream), &stream.visits());
        let title = format!("{}: {}", race.name(), race.about());
        println!("{}", Table { title, reference: REFERENCE, hits: race != Race::Insert, runs: &runs });
    }

    fn functions(&self) {
        let stream = Race::Hit.stream(self.visits.unwrap_or(Race::Insert.visits()));
        let (arguments, entrants) = (functions::arguments(&stream), functions::entrants());
        for entrant in &entrants {
            entrant.lap(&arguments);
        }
        let runs = self.measure(entrants, &arguments);
        let title = "cached_fn: a hit of a cached function, 10 000 different arguments".to_owned();
        println!("{}", Table { title, reference: functions::REFERENCE, hits: false, runs: &runs });
    }
}

fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    for race in &options.races {
        options.race(*race);
    }
    if options.functions {
        options.functions();
    }
    ExitCode::SUCCESS
}
