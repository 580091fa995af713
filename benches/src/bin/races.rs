//! Prints the table of `docs/races.md`.

use std::process::ExitCode;

use larder_benches::races::libraries::LIBRARIES;
use larder_benches::races::run;
use larder_benches::races::scenarios::SCENARIOS;

const USAGE: &str = "\
usage: races [WORD]

Runs every scenario (with WORD: those whose name holds it) over every library and prints what a reader got.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = arguments.first().map_or("", String::as_str);
    if arguments.len() > 1 || word.starts_with('-') {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    }
    // Loaders panic on purpose.
    std::panic::set_hook(Box::new(|_| {}));
    let names: String = LIBRARIES.iter().map(|make| format!(" {} |", make().name())).collect();
    println!("| scenario | found in |{names}\n|---|---|{}", "---|".repeat(LIBRARIES.len()));
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.name.contains(word)) {
        let cells: String = LIBRARIES.iter().map(|make| format!(" {} |", run(scenario, make()))).collect();
        println!("| {} | {} |{cells}", scenario.name, scenario.found);
    }
    ExitCode::SUCCESS
}
