//! A school platform on SQLite, without larder and with it: `cargo run --release --example campus`.
//!
//! Where to look first: `parts/` holds the `#[cached]` functions, `pages.rs` puts pages together from them, and
//! `writes.rs` forgets what a write made old. The rest makes the school, plays its users, and measures; `fleet/` does it
//! with several processes over one Redis (`--features redis`, and `--nodes 4 --chaos`). The modules open to the crate are
//! those that `tests/campus.rs` uses.

#![allow(unreachable_pub, reason = "the modules read as those of an application's library would")]

#[allow(dead_code, reason = "tests/campus_coherent.rs uses it")]
pub(crate) mod coherent;
mod db;
pub(crate) mod figures;
pub(crate) mod fleet;
pub(crate) mod journal;
mod measure;
pub(crate) mod options;
mod pages;
mod parts;
mod random;
mod replay;
mod report;
pub(crate) mod rows;
pub(crate) mod schema;
mod seed;
pub(crate) mod steps;
mod stream;
pub(crate) mod terminal;
pub(crate) mod truth;
mod words;
pub(crate) mod writes;

use std::error::Error;
use std::process::ExitCode;

use options::Options;
use terminal::Progress;

/// Errors are for people here: they end the run.
pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    match start() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_stale_reads) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("campus: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns how many stale reads there were.
fn start() -> Result<u64> {
    let options = Options::parse(std::env::args().skip(1))?;
    if options.help {
        terminal::line(options::HELP);
        return Ok(0);
    }
    if let Some(nodes) = options.fleet() {
        return fleet::run(&options, nodes);
    }
    let measured = steps::run(&options, &Progress::new(options.json))?;
    let figures = measured.figures();
    if options.json {
        terminal::line(&serde_json::to_string_pretty(&figures)?);
    } else {
        report::print(&figures, &measured.uncached, &measured.cached);
    }
    Ok(figures.total.stale_reads)
}
