//! Prints the tables of `docs/benchmarks.md`.

use std::io;
use std::process::ExitCode;

use larder_benches::functions;
use larder_benches::measure::{Times, measure};
use larder_benches::race::{Entrant, REFERENCE, Race};
use larder_benches::table::Table;
use larder_benches::tiers::{self, Far};

const USAGE: &str = "usage: micro [hit|miss|get_or_insert|insert|cached_fn|tiers|all] [--rounds N] [--visits N] [--threads N]... [--only NAME]";

/// What the command line asks for.
struct Options {
    races: Vec<Race>,
    functions: bool,
    tiers: bool,
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
            tiers: false,
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
                "tiers" => options.tiers = true,
                "all" => options.ask_for_all(),
                name => options.races.push(Race::ALL.into_iter().find(|race| race.name() == name)?),
            }
        }
        if options.races.is_empty() && !options.functions && !options.tiers {
            options.ask_for_all();
        }
        if options.threads.is_empty() {
            options.threads = vec![1, 2];
        }
        Some(options)
    }

    fn ask_for_all(&mut self) {
        (self.races, self.functions, self.tiers) = (Race::ALL.to_vec(), true, true);
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

    fn tiers(&self) -> io::Result<()> {
        let (stream, far) = (Race::Hit.stream(self.visits.unwrap_or(Race::Hit.visits())), Far::start()?);
        let runs = self.measure(far.entrants(&stream), &stream.visits());
        let title = "tiers: get of 10 000 keys, all in the memory in front of a Redis".to_owned();
        println!("{}", Table { title, reference: tiers::REFERENCE, hits: true, runs: &runs });
        Ok(())
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
    if options.tiers
        && let Err(error) = options.tiers()
    {
        eprintln!("no redis-server: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
