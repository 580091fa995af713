//! Runs seeds until one breaks a promise: `larder-simulation FROM [UNTIL]`, or one seed, told in full: `larder-simulation FROM`.

use std::process::ExitCode;
use std::time::Instant;

use larder_simulation::check::check;
use larder_simulation::plan::Plan;
use larder_simulation::run::run;

const USAGE: &str = "usage: larder-simulation SEED          one seed, told in full
       larder-simulation FROM UNTIL     all seeds from the one to before the other";

fn main() -> ExitCode {
    let numbers: Option<Vec<u64>> = std::env::args().skip(1).map(|number| number.parse().ok()).collect();
    match numbers.as_deref() {
        Some([seed]) => tell(*seed),
        Some([from, until]) => search(*from, *until),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn tell(seed: u64) -> ExitCode {
    let ran = run(&Plan::of(seed), None);
    println!("{:#?}\n{:#?}", ran.plan, ran.history.faults);
    for change in &ran.history.changes {
        println!("{change:?}");
    }
    // LARDER_READS=key: all reads and loads of it.
    if let Some(key) = std::env::var("LARDER_READS").ok().and_then(|key| key.parse::<usize>().ok()) {
        ran.history.reads.iter().filter(|read| read.key == key).for_each(|read| println!("{read:?}"));
        ran.history.loads.iter().filter(|load| load.key == key).for_each(|load| println!("{load:?}"));
    }
    println!("{} reads, {} loads", ran.history.reads.len(), ran.history.loads.len());
    let broken = check(&ran);
    for broken in &broken {
        println!("{}: {}", broken.guarantee, broken.what);
    }
    ExitCode::from(u8::from(!broken.is_empty()))
}

fn search(from: u64, until: u64) -> ExitCode {
    let began = Instant::now();
    for seed in from..until {
        let broken = check(&run(&Plan::of(seed), None));
        if let Some(first) = broken.first() {
            println!(
                "seed {seed} breaks {} promises, the first of {}: {}",
                broken.len(),
                first.guarantee,
                first.what
            );
            return ExitCode::FAILURE;
        }
        if (seed + 1 - from).is_multiple_of(1000) {
            println!("{} seeds, {:.0} s", seed + 1 - from, began.elapsed().as_secs_f64());
        }
    }
    println!("seeds {from} to {until}: every promise was kept");
    ExitCode::SUCCESS
}
