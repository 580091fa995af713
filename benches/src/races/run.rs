//! Runs one scenario over one library, on a thread and a runtime of its own.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::library::Library;
use super::scenarios::Scenario;
use super::verdict::{Cell, Stop, Verdict};

/// Longer than the longest scenario with all that it may wait for.
const LONG: Duration = Duration::from_secs(30);

/// The cell of the table. A thread that hangs is left behind.
pub fn run(scenario: &Scenario, library: Arc<dyn Library>) -> String {
    let (done, outcome) = channel();
    let run = scenario.run;
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        // Where the verdict comes too late, nobody waits for it.
        let _ = done.send(runtime.block_on(run(library)));
        // Threads of it that block for ever are left behind.
        runtime.shutdown_background();
    });
    let outcome = outcome.recv_timeout(LONG).unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => Err(Stop::Hangs("a call blocks its thread")),
        RecvTimeoutError::Disconnected => Ok(Verdict::Wrong("a call panics".to_owned())),
    });
    Cell(outcome).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::libraries::LIBRARIES;
    use super::super::scenarios::SCENARIOS;
    use super::*;

    #[test]
    fn larder_is_right_in_every_scenario() {
        for make in LIBRARIES.iter().filter(|make| make().name().starts_with("larder")) {
            for scenario in SCENARIOS {
                let cell = run(scenario, make());
                assert!(
                    cell == "correct" || cell.contains("cannot be cancelled"),
                    "{}: {cell}",
                    scenario.name
                );
            }
        }
    }

    #[test]
    fn what_is_stale_is_found() {
        let moka = LIBRARIES.iter().find(|make| make().name() == "moka (future)").expect("moka");
        let removed = SCENARIOS.iter().find(|scenario| scenario.name.contains("removed")).expect("a removal");
        assert_eq!(run(removed, moka()), "**STALE**: a reader afterwards gets the old value");
    }
}
