//! A school platform on SQLite, without larder and with it: `cargo run --release --example campus`.
//!
//! Where to look first: `parts/` holds the `#[cached]` functions, `pages.rs` puts pages together from them, and
//! `writes.rs` forgets what a write made old. The rest makes the school, plays its users, and measures.

#![allow(unreachable_pub, reason = "the modules read as those of an application's library would")]

mod db;
mod figures;
mod measure;
mod options;
mod pages;
mod parts;
mod random;
mod replay;
mod report;
mod rows;
mod schema;
mod seed;
mod steps;
mod stream;
mod terminal;
mod trace;
mod truth;
mod writes;

use std::error::Error;
use std::process::ExitCode;

use options::Options;
use terminal::Progress;

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
        print!("{}", options::HELP);
        return Ok(0);
    }
    let measured = steps::run(&options, &Progress::new(options.json))?;
    let figures = measured.figures();
    if options.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        report::print(&figures, &measured.cached, &measured.uncached);
    }
    Ok(figures.total.stale_reads)
}
