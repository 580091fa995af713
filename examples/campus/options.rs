//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use super::Result;
use super::schema::School;
use super::writes;

pub const HELP: &str = "\
campus: five pages of a school platform on SQLite, without larder and with it

    cargo run --release --example campus -- [OPTIONS]

    --requests N       requests of the cached replay, at least 20000 [default: 40000, or 10 a user]
    --users N          concurrent users [default: 1500]; 10000 is tried too
    --write-ratio R    share of writes, 0.02 or 2%, at least 1% [default: 2%]
    --capacity N       entries the cache may hold [default: 50000]
    --trace FILE       the keys of a real trace instead of users: ARC .lis, a key a line, or big-endian
                       integers; .zst, .xz and .gz are unpacked
    --sample SECONDS   how long the uncached sample may take [default: 6]
    --seed N           of the stream of requests [default: 1]
    --nodes N          a fleet: so many processes, each with memory of its own in front of one Redis, serve the requests
                       again and again (wants --features redis) [default: 2 with --redis, --chaos, --picture]
    --redis URL        the Redis of a fleet [default: a redis-server of the run's own]
    --seconds N        how long a fleet works, at least; on until writes are acknowledged [default: 20]
    --chaos            Redis is killed half way and comes back, empty, after a sixth of the time [own Redis only]
    --picture FILE     how a fleet went over time, as SVG [default with --chaos: beside the program]
    --json             one JSON object on stdout and nothing else; ratios from 0 to 1
    --omit-invalidation WRITE
                       leave out what enrol, pay, grade, edit-course or edit-category should forget,
                       to see stale reads reported
    --help
";

pub const LEAST_REQUESTS: usize = 20_000;

#[derive(Clone, Debug)]
pub struct Options {
    /// Unless given, 40 000, or 10 a user where that is more.
    pub requests: Option<usize>,
    pub users: usize,
    pub write_ratio: f64,
    pub capacity: usize,
    pub trace: Option<PathBuf>,
    pub seed: u64,
    /// How long the uncached sample may take.
    pub sample: Duration,
    pub json: bool,
    pub omitted: Option<writes::Kind>,
    pub help: bool,
    pub redis: Option<String>,
    pub nodes: Option<usize>,
    pub chaos: bool,
    /// How long a fleet works.
    pub time: Duration,
    pub picture: Option<PathBuf>,
    /// This process is one of a fleet: which one, and the file of their database.
    pub node: Option<(usize, PathBuf)>,
    pub school: School,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            requests: None,
            users: 1_500,
            write_ratio: 0.02,
            capacity: 50_000,
            trace: None,
            seed: 1,
            sample: Duration::from_secs(6),
            json: false,
            omitted: None,
            help: false,
            redis: None,
            nodes: None,
            chaos: false,
            time: Duration::from_secs(20),
            picture: None,
            node: None,
            school: School::FULL,
        }
    }
}

impl Options {
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            let mut value = || {
                let value = inline.clone().or_else(|| arguments.next());
                value.ok_or_else(|| format!("{name} wants a value"))
            };
            match name.as_str() {
                "--requests" => options.requests = Some(number(&name, &value()?)?.max(LEAST_REQUESTS)),
                "--users" => options.users = number(&name, &value()?)?,
                "--capacity" => options.capacity = number(&name, &value()?)?,
                "--sample" => options.sample = Duration::from_secs(number(&name, &value()?)? as u64),
                "--seed" => options.seed = number(&name, &value()?)? as u64,
                "--write-ratio" => options.write_ratio = write_ratio(&value()?)?,
                "--trace" => options.trace = Some(value()?.into()),
                "--omit-invalidation" => options.omitted = Some(kind_of_write(&value()?)?),
                "--redis" => options.redis = Some(value()?),
                "--nodes" => options.nodes = Some(number(&name, &value()?)?),
                "--chaos" => options.chaos = true,
                "--seconds" => options.time = Duration::from_secs(number(&name, &value()?)? as u64),
                "--picture" => options.picture = Some(value()?.into()),
                // Not for people: how a process of several is started.
                "--node" => options.node = Some((number(&name, &value()?)? - 1, value()?.into())),
                "--json" => options.json = true,
                "--help" | "-h" => options.help = true,
                _ => return Err(format!("there is no option {name}; --help lists them").into()),
            }
        }
        Ok(options)
    }

    /// Of how many processes a fleet is; `None`: it is none.
    pub fn fleet(&self) -> Option<usize> {
        let asked = self.redis.is_some() || self.chaos || self.picture.is_some();
        self.nodes.or(asked.then_some(2))
    }

    pub fn requests(&self) -> usize {
        self.requests.unwrap_or((10 * self.users).max(40_000))
    }
}

fn number(name: &str, text: &str) -> Result<usize> {
    match text.replace('_', "").parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("{name} wants a whole number above 0, not `{text}`").into()),
    }
}

/// `0.02`, `2` and `2%` all mean two in a hundred.
fn write_ratio(text: &str) -> Result<f64> {
    let digits = text.trim_end_matches('%');
    let number: f64 = digits.parse().map_err(|_| format!("--write-ratio wants a number, not `{text}`"))?;
    let ratio = if digits != text || number >= 1.0 { number / 100.0 } else { number };
    match ratio {
        0.01..=0.5 => Ok(ratio),
        _ => Err(format!("--write-ratio wants a share from 1% to 50%, not `{text}`").into()),
    }
}

fn kind_of_write(text: &str) -> Result<writes::Kind> {
    let kind = writes::Kind::ALL.into_iter().find(|kind| kind.name() == text);
    kind.ok_or_else(|| {
        let names = writes::Kind::ALL.map(writes::Kind::name).join(", ");
        format!("--omit-invalidation wants one of {names}, not `{text}`").into()
    })
}
