//! The file in which processes that share a cache tell each other what they have written.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Result;
use super::rows::{Row, Table};

/// How a write ended, for the one who wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every process has handled it.
    Acknowledged,
    /// The shared store has it; nobody waited for the other processes.
    Returned,
    /// It has an error: queued, or who has handled it is not known. The rows are written all the same.
    Failed,
}

/// A row that was written, by which process, how that ended, and when: by the system's clock, which all of them share.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub row: Row,
    pub process: usize,
    pub outcome: Outcome,
    pub at: Duration,
}

/// A line has `LINE` bytes, so how many there are can be told from the length of the file.
pub struct Journal {
    file: File,
    /// Where it is read, with what has been read of the last line.
    unread: Mutex<(File, String)>,
}

const LINE: usize = 50;

impl Journal {
    pub fn open(file: &Path) -> Result<Self> {
        Ok(Self {
            file: OpenOptions::new().create(true).append(true).open(file)?,
            unread: Mutex::new((File::open(file)?, String::new())),
        })
    }

    /// In one piece, so that all see all of it or nothing.
    pub fn append(&self, entries: &[Entry]) -> Result<()> {
        let lines: String = entries.iter().map(line).collect();
        Ok((&self.file).write_all(lines.as_bytes())?)
    }

    /// How many entries there are, of all processes.
    pub fn len(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len() / LINE as u64)
    }

    /// Hands over what has been written since this was last called. Who calls it meanwhile waits.
    pub fn read(&self, note: impl FnOnce(Vec<Entry>)) -> Result<()> {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, text) = &mut *unread;
        file.read_to_string(text)?;
        let whole = text.len() / LINE * LINE;
        let entries: Option<_> = text[..whole].lines().map(entry).collect();
        note(entries.ok_or("a line of the journal that is none")?);
        text.drain(..whole);
        Ok(())
    }
}

fn line(entry: &Entry) -> String {
    let Entry { row, process, outcome, at } = entry;
    let (table, micros) = (row.table as u8, at.as_micros());
    let line = format!(
        "{table} {:>10} {:>10} {:>4} {} {micros:>18}\n",
        row.id, row.version, process, *outcome as u8
    );
    debug_assert_eq!(line.len(), LINE, "{line}");
    line
}

fn entry(line: &str) -> Option<Entry> {
    let mut words = line.split_whitespace();
    let mut number = || words.next()?.parse::<u64>().ok();
    let table = *Table::ALL.get(number()? as usize)?;
    let row = Row { table, id: number()?.try_into().ok()?, version: number()?.try_into().ok()? };
    let process = number()? as usize;
    let outcome = *[Outcome::Acknowledged, Outcome::Returned, Outcome::Failed].get(number()? as usize)?;
    Some(Entry { row, process, outcome, at: Duration::from_micros(number()?) })
}
