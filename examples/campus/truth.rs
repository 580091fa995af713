//! The stale check: what every reader was entitled to see.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use super::Result;
use super::rows::{Row, Table};

/// Every row written by a write whose invalidation has returned, in that order. Processes that share a cache share the file
/// that it is written to.
#[derive(Default)]
pub struct Truth {
    acknowledged: AtomicU64,
    written: RwLock<HashMap<(Table, u32), Vec<Version>>>,
    shared: Option<Shared>,
}

struct Version {
    acknowledged: u64,
    version: u32,
}

/// A point in the order of acknowledged writes.
#[derive(Clone, Copy)]
pub struct Moment(u64);

/// The file, whose rows have `LINE` bytes each; and where it is read, with what has been read of the last row.
struct Shared {
    file: File,
    unread: Mutex<(File, String)>,
}

const LINE: usize = 24;

impl Truth {
    /// One that others write to as well.
    pub fn shared(file: &Path) -> Result<Self> {
        let shared = Shared {
            file: OpenOptions::new().create(true).append(true).open(file)?,
            unread: Mutex::new((File::open(file)?, String::new())),
        };
        Ok(Self { shared: Some(shared), ..Self::default() })
    }

    /// Call it when the invalidations of a write have returned.
    pub fn acknowledge(&self, rows: &[Row]) -> Result<()> {
        match &self.shared {
            // In one piece, so that all see all of it or nothing.
            Some(Shared { file, .. }) => Ok((&*file).write_all(lines(rows).as_bytes())?),
            None => {
                self.note(rows);
                Ok(())
            }
        }
    }

    fn note(&self, rows: &[Row]) {
        let mut written = self.written.write().unwrap_or_else(PoisonError::into_inner);
        let acknowledged = self.acknowledged.load(Ordering::Relaxed) + rows.len() as u64;
        for row in rows {
            let versions = written.entry((row.table, row.id)).or_default();
            versions.push(Version { acknowledged, version: row.version });
        }
        self.acknowledged.store(acknowledged, Ordering::SeqCst);
    }

    /// Now: whoever begins to read now must see every write acknowledged so far.
    pub fn now(&self) -> Result<Moment> {
        if let Some(Shared { file, unread }) = &self.shared
            && file.metadata()?.len() > self.acknowledged.load(Ordering::SeqCst) * LINE as u64
        {
            let mut unread = unread.lock().unwrap_or_else(PoisonError::into_inner);
            let (file, text) = &mut *unread;
            file.read_to_string(text)?;
            let whole = text.len() / LINE * LINE;
            let rows: Option<Vec<Row>> = text[..whole].lines().map(row).collect();
            self.note(&rows.ok_or("a line of truth that is none")?);
            text.drain(..whole);
        }
        Ok(Moment(self.acknowledged.load(Ordering::SeqCst)))
    }

    /// The first of the rows that is older than a reader who began at `began` may see, and the version due.
    pub fn stale(&self, began: Moment, rows: &[Row]) -> Option<(Row, u32)> {
        let written = self.written.read().unwrap_or_else(PoisonError::into_inner);
        rows.iter().find_map(|row| {
            let versions = written.get(&(row.table, row.id))?;
            let returned = versions.iter().filter(|version| version.acknowledged <= began.0);
            let due = returned.map(|version| version.version).max()?;
            (due > row.version).then_some((*row, due))
        })
    }
}

fn lines(rows: &[Row]) -> String {
    rows.iter().map(|row| format!("{} {:>10} {:>10}\n", row.table as u8, row.id, row.version)).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut words = line.split_whitespace();
    let table = words.next()?.parse::<usize>().ok()?;
    let (id, version) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Row { table: *Table::ALL.get(table)?, id, version })
}
