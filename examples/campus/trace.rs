//! Real access traces: text and binary forms, compressed or not (read through the system's zstd, xz and gzip).

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Result;

pub struct Trace {
    /// The first accesses, each key as its number in order of first appearance.
    pub accesses: Vec<u32>,
    pub total_accesses: u64,
    pub unique_keys: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Format {
    /// Four fields, `start_block count ignore request_no`: one access to each of `count` blocks.
    Arc,
    /// A key a line; lines that are empty or `*` are not accesses.
    Lines,
    /// Big-endian integers of so many bytes.
    Binary(usize),
}

/// Reads a whole trace, and keeps its first `keep` accesses.
pub fn read(file: &Path, keep: usize) -> Result<Trace> {
    let explain = |error| format!("cannot read the trace {}: {error}", file.display());
    let (mut bytes, decompressor) = open(file).map_err(explain)?;
    let format = recognise(file, bytes.fill_buf().map_err(|error| explain(error.into()))?);
    let mut keys = Keys { keep, numbers: HashMap::new(), accesses: Vec::new(), total: 0 };
    match format {
        Format::Binary(width) => keys.read_binary(bytes, width)?,
        _ => keys.read_lines(bytes, format)?,
    }
    if let Some((program, mut child)) = decompressor {
        let status = child.wait()?;
        if !status.success() {
            return Err(explain(format!("{program} failed ({status})").into()).into());
        }
    }
    if keys.total == 0 {
        return Err(explain("it holds no accesses".into()).into());
    }
    Ok(Trace { accesses: keys.accesses, total_accesses: keys.total, unique_keys: keys.numbers.len() as u32 })
}

type Bytes = BufReader<Box<dyn Read>>;

fn open(file: &Path) -> Result<(Bytes, Option<(&'static str, Child)>)> {
    let opened = File::open(file)?;
    let program = match file.extension().and_then(|extension| extension.to_str()) {
        Some("zst") => "zstd",
        Some("xz") => "xz",
        Some("gz") => "gzip",
        _ => return Ok((BufReader::new(Box::new(opened)), None)),
    };
    let spawned = Command::new(program).arg("-dc").stdin(opened).stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| {
        format!("it needs the program `{program}` to be unpacked ({error}); install it, or unpack the file yourself")
    })?;
    let output = child.stdout.take().ok_or("no output to read")?;
    Ok((BufReader::new(Box::new(output)), Some((program, child))))
}

/// By content where that tells. Binary traces do not say how wide their integers are: those named `.trace`
/// (cache2k) hold 32 bits, others (corda) 64.
fn recognise(file: &Path, beginning: &[u8]) -> Format {
    let is_text = beginning.iter().all(|&byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    if !is_text {
        let narrow = file.to_string_lossy().contains(".trace");
        return Format::Binary(if narrow { 4 } else { 8 });
    }
    let first_line = beginning.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let fields: Vec<_> =
        first_line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).collect();
    let numeric = fields.iter().all(|field| field.iter().all(u8::is_ascii_digit));
    if fields.len() == 4 && numeric { Format::Arc } else { Format::Lines }
}

struct Keys {
    keep: usize,
    numbers: HashMap<Box<[u8]>, u32>,
    accesses: Vec<u32>,
    total: u64,
}

impl Keys {
    fn access(&mut self, key: &[u8]) {
        let next = self.numbers.len() as u32;
        let number = match self.numbers.get(key) {
            Some(&number) => number,
            None => *self.numbers.entry(key.into()).or_insert(next),
        };
        self.total += 1;
        if self.accesses.len() < self.keep {
            self.accesses.push(number);
        }
    }

    fn read_lines(&mut self, mut bytes: Bytes, format: Format) -> Result<()> {
        let mut line = Vec::new();
        while bytes.read_until(b'\n', &mut line)? > 0 {
            let key = line.trim_ascii();
            if format == Format::Arc {
                self.access_blocks(key)?;
            } else if !key.is_empty() && key != b"*" {
                self.access(key);
            }
            line.clear();
        }
        Ok(())
    }

    fn access_blocks(&mut self, line: &[u8]) -> Result<()> {
        let mut fields = std::str::from_utf8(line)?.split_whitespace();
        let (Some(start), Some(count)) = (fields.next(), fields.next()) else { return Ok(()) };
        let start: u64 = start.parse()?;
        for block in start..start + count.parse::<u64>()? {
            self.access(&block.to_be_bytes());
        }
        Ok(())
    }

    fn read_binary(&mut self, mut bytes: Bytes, width: usize) -> Result<()> {
        let mut key = [0; 8];
        while !bytes.fill_buf()?.is_empty() {
            bytes.read_exact(&mut key[..width])?;
            self.access(&key[..width]);
        }
        Ok(())
    }
}
