//! Replays traces through larder and its peers, and prints their hit ratios.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use larder_benches::hit_ratio::{Keys, Row, Table, known};

const USAGE: &str = "\
usage: hit_ratio FILE|FOLDER... [--capacity N]...

Replays each trace (of a folder: each file but *.md) as get, then insert on a miss, from an empty cache on, on one
thread, every entry of weight 1. Without --capacity: those of the reference table for the traces in it, else 1 % and
10 % of the unique keys. Ratios are per cent. The name of a file tells its format: .gz, .xz and .zst are unpacked;
then .lis is ARC's, cache2k* 32-bit and corda* 64-bit big-endian integers, as is what has a zero byte in its beginning (32 if
the name holds .trace), and all else is a key a line. Libraries with shards may hold a little more than a tiny capacity.";

struct Options {
    files: Vec<PathBuf>,
    capacities: Vec<usize>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { files: Vec::new(), capacities: Vec::new() };
        while let Some(argument) = arguments.next() {
            match &*argument {
                "--capacity" => {
                    let capacity = arguments.next().and_then(|number| number.parse().ok()).filter(|n| *n > 0);
                    options.capacities.push(capacity.ok_or("--capacity wants a number of entries")?);
                }
                option if option.starts_with('-') => return Err(format!("there is no option {option}")),
                file => options.files.append(&mut files(Path::new(file))?),
            }
        }
        if options.files.is_empty() {
            return Err("there is no trace to replay".to_owned());
        }
        Ok(options)
    }

    /// At which capacities a trace is replayed, and what is known of it there.
    fn capacities(&self, name: &str, unique_keys: u32) -> Vec<(usize, Option<Row>)> {
        let rows: Vec<Row> = known(name).collect();
        let with_row =
            |capacity: usize| (capacity, rows.iter().find(|row| row.capacity == capacity).copied());
        if !self.capacities.is_empty() {
            return self.capacities.iter().copied().map(with_row).collect();
        }
        if !rows.is_empty() {
            eprintln!("{name}: capacities of the reference table");
            return rows.iter().map(|row| with_row(row.capacity)).collect();
        }
        eprintln!("{name}: not in the reference table; capacities of 1 % and 10 % of its {unique_keys} keys");
        let mut capacities = [100, 10].map(|part| (unique_keys as usize / part).max(1)).to_vec();
        capacities.dedup();
        capacities.into_iter().map(with_row).collect()
    }

    fn replay(&self, file: &Path) -> Result<(), larder_traces::Error> {
        let trace = larder_traces::read(file)?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let short = name.split('.').next().unwrap_or(&name);
        let keys = Keys::of(&trace);
        for (capacity, row) in self.capacities(&name, trace.unique_keys) {
            println!("{}", Table::row(short, &trace, &keys, capacity, row));
        }
        Ok(())
    }
}

/// The file itself, or the files in the folder, by name.
fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let explain = |error| format!("cannot read the folder {}: {error}", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(explain)? {
        let file = entry.map_err(explain)?.path();
        if file.is_file() && file.extension().is_none_or(|extension| extension != "md") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(format!("the folder {} holds no traces", path.display()));
    }
    Ok(files)
}

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\n\n{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", Table::header());
    let mut code = ExitCode::SUCCESS;
    for file in &options.files {
        if let Err(error) = options.replay(file) {
            eprintln!("{error}");
            code = ExitCode::FAILURE;
        }
    }
    code
}
