//! Prints what `#[cached]` costs when it is compiled: the lines that a hundred functions expand to, and the time they take.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use larder_benches::arguments::parse;

const USAGE: &str = "\
usage: expansion [--functions N] [--rounds N]

Generates N functions (default 100), a quarter of each of sync and async, `Arc<String>` and `String`, and gives them to rustc
without an attribute, with larder's `#[cached]` and with that of `cached`, as the median of N rounds (default 5, one of each in
turn). The libraries are those that cargo has built beside this program. Lines are those of `-Zunpretty=expanded`.";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One way of writing the functions.
struct Subject {
    name: &'static str,
    attribute: fn(usize) -> String,
    lines: usize,
    check: Vec<f64>,
    build: Vec<f64>,
}

impl Subject {
    fn new(name: &'static str, attribute: fn(usize) -> String) -> Self {
        Self { name, attribute, lines: 0, check: Vec::new(), build: Vec::new() }
    }

    fn source(&self, functions: usize) -> Result<String> {
        let mut source = "use std::sync::Arc;\n".to_owned();
        for n in 0..functions {
            let (asyncness, output, value) = match n % 4 {
                0 => ("", "Arc<String>", "Arc::new(id.to_string())"),
                1 => ("async ", "Arc<String>", "Arc::new(id.to_string())"),
                2 => ("", "String", "id.to_string()"),
                _ => ("async ", "String", "id.to_string()"),
            };
            let attribute = (self.attribute)(n);
            writeln!(
                source,
                "{attribute}\npub {asyncness}fn user{n}(id: u64) -> {output} {{\n    {value}\n}}"
            )?;
        }
        Ok(source)
    }
}

/// rustc, with what cargo has built.
struct Compiler {
    libraries: PathBuf,
    folder: PathBuf,
}

impl Compiler {
    fn new() -> Result<Self> {
        let program = std::env::current_exe()?;
        let libraries = program.parent().ok_or("this program is in no folder")?.join("deps");
        let folder = std::env::temp_dir().join(format!("larder-expansion-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self { libraries, folder })
    }

    /// The library of this name that was built last.
    fn library(&self, name: &str) -> Result<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.libraries)? {
            let path = entry?.path();
            let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if file.starts_with(&format!("lib{name}-")) && file.ends_with(".rlib") {
                found.push((path.metadata()?.modified()?, path));
            }
        }
        let (_, path) = found.into_iter().max().ok_or(format!("no lib{name} in {:?}", self.libraries))?;
        Ok(path)
    }

    /// What it prints, given these arguments beside the source.
    fn run(&self, source: &Path, arguments: &[&str]) -> Result<String> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        command.args(["--edition=2024", "--crate-type=lib", "--crate-name=functions"]).args(arguments);
        command.arg("-L").arg(format!("dependency={}", self.libraries.display()));
        for name in ["larder", "cached"] {
            command.arg("--extern").arg(format!("{name}={}", self.library(name)?.display()));
        }
        command.arg("--out-dir").arg(&self.folder).arg(source);
        // The macro asks the manifest what the facade is called; the expanded source is a nightly's affair.
        command.env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR")).env("RUSTC_BOOTSTRAP", "1");
        let output = command.output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The milliseconds of a run.
    fn time(&self, source: &Path, arguments: &[&str]) -> Result<f64> {
        let began = Instant::now();
        self.run(source, arguments)?;
        Ok(began.elapsed().as_secs_f64() * 1e3)
    }
}

impl Drop for Compiler {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn measure(functions: usize, rounds: usize) -> Result<()> {
    let compiler = Compiler::new()?;
    let mut subjects = [
        Subject::new("no attribute", |_| String::new()),
        Subject::new("larder", |n| format!("#[larder::cached(key = \"user:{{id}}:{n}\", ttl = \"5m\")]")),
        Subject::new("cached", |_| "#[cached::macros::cached(max_size = 1000, ttl_secs = 300)]".to_owned()),
    ];
    for round in 0..rounds {
        for subject in &mut subjects {
            let source = compiler.folder.join("functions.rs");
            fs::write(&source, subject.source(functions)?)?;
            if round == 0 {
                subject.lines = compiler.run(&source, &["-Zunpretty=expanded"])?.lines().count();
            }
            subject.check.push(compiler.time(&source, &["--emit=metadata"])?);
            subject.build.push(compiler.time(&source, &["--emit=link", "-Cdebuginfo=2"])?);
        }
    }
    println!(
        "| {functions} functions | lines, expanded | per function | check, ms | per function | build, ms | per function |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let each = |all: f64, plain: f64| (all - plain) / functions as f64;
    let mut plain = None;
    for Subject { name, lines, check, build, .. } in &mut subjects {
        let (lines, check, build) = (*lines as f64, median(check), median(build));
        let (plain_lines, plain_check, plain_build) = *plain.get_or_insert((lines, check, build));
        println!(
            "| {name} | {lines} | {:.1} | {check:.0} | {:.2} | {build:.0} | {:.2} |",
            each(lines, plain_lines),
            each(check, plain_check),
            each(build, plain_build),
        );
    }
    Ok(())
}

fn main() -> ExitCode {
    let (mut functions, mut rounds) = (100, 5);
    if !parse(USAGE, &mut [("--functions", &mut functions), ("--rounds", &mut rounds)]) {
        return ExitCode::FAILURE;
    }
    match measure(functions, rounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("expansion: {error}");
            ExitCode::FAILURE
        }
    }
}
