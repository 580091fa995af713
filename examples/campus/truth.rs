//! The stale check: what every reader was entitled to see, and how long others went on to see what was there before.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use super::Result;
use super::fleet::timeline::now;
use super::fleet::times::Times;
use super::journal::{Entry, Journal, Outcome};
use super::rows::{Row, Table};

/// Every row written by a write whose invalidation has returned, in that order. Processes that share a cache share a
/// journal of it.
#[derive(Default)]
pub struct Truth {
    noted: AtomicU64,
    acknowledged: AtomicU64,
    written: RwLock<HashMap<(Table, u32), Written>>,
    /// Of several processes: which one this is, and where they write.
    shared: Option<(usize, Journal)>,
}

/// What has been written to one row.
#[derive(Default)]
struct Written {
    /// From which entry on which version is due, or a later one.
    due: Vec<(u64, u32)>,
    /// What others have written and not waited for.
    coming: Vec<Coming>,
}

/// A version that this process may see late.
struct Coming {
    number: u64,
    version: u32,
    at: Duration,
    failed: bool,
    /// When the last read began that saw an older one, in microseconds from `at` on, and 1; 0 while nobody has read the row.
    late: AtomicU64,
}

/// A point in the order of what was written.
#[derive(Clone, Copy)]
pub struct Moment {
    number: u64,
    at: Duration,
}

/// For how long this process saw what was older than what others had written and not waited for: of each row that was
/// read here after, from when the write returned until the last read began that saw an older one.
#[derive(Default)]
pub struct Late {
    pub returned: Times,
    /// Of writes that failed, as while Redis is away: from the error on.
    pub failed: Times,
}

impl Truth {
    /// The truth of one process of several.
    pub fn shared(process: usize, journal: &Path) -> Result<Self> {
        Ok(Self { shared: Some((process, Journal::open(journal)?)), ..Self::default() })
    }

    /// Call it when the invalidations of a write have returned.
    pub fn note(&self, rows: &[Row], outcome: Outcome) -> Result<()> {
        let process = self.shared.as_ref().map_or(0, |(process, _)| *process);
        let at = now();
        let entries: Vec<_> = rows.iter().map(|&row| Entry { row, process, outcome, at }).collect();
        match &self.shared {
            Some((_, journal)) => journal.append(&entries),
            None => {
                self.add(entries, process);
                Ok(())
            }
        }
    }

    fn add(&self, entries: Vec<Entry>, me: usize) {
        let mut written = self.written.write().unwrap_or_else(PoisonError::into_inner);
        let number = self.noted.load(Ordering::Relaxed) + entries.len() as u64;
        for Entry { row, process, outcome, at } in entries {
            let Row { table, id, version } = row;
            let row = written.entry((table, id)).or_default();
            let acknowledged = outcome == Outcome::Acknowledged;
            self.acknowledged.fetch_add(u64::from(acknowledged), Ordering::Relaxed);
            // What it has written itself a process sees at once, however that ended.
            if acknowledged || process == me {
                let before = row.due.last().map_or(0, |(_, version)| *version);
                row.due.push((number, version.max(before)));
            } else {
                let failed = outcome == Outcome::Failed;
                row.coming.push(Coming { number, version, at, failed, late: AtomicU64::new(0) });
            }
        }
        self.noted.store(number, Ordering::SeqCst);
    }

    /// Now: whoever begins to read now must see every write acknowledged so far.
    pub fn now(&self) -> Result<Moment> {
        if let Some((process, journal)) = &self.shared
            && journal.len()? > self.noted.load(Ordering::SeqCst)
        {
            journal.read(|entries| self.add(entries, *process))?;
        }
        Ok(Moment { number: self.noted.load(Ordering::SeqCst), at: now() })
    }

    /// How many rows have been written and acknowledged so far.
    pub fn acknowledged(&self) -> Result<u64> {
        self.now()?;
        Ok(self.acknowledged.load(Ordering::SeqCst))
    }

    /// The first of the rows that is older than a reader who began at `began` may see, and the version due. What is only
    /// late is noted.
    pub fn check(&self, began: Moment, rows: &[Row]) -> Option<(Row, u32)> {
        let written = self.written.read().unwrap_or_else(PoisonError::into_inner);
        let mut stale = None;
        for row in rows {
            let Some(there) = written.get(&(row.table, row.id)) else { continue };
            let known = there.due.partition_point(|(number, _)| *number <= began.number);
            let due = known.checked_sub(1).map_or(0, |last| there.due[last].1);
            if due > row.version {
                stale = stale.or(Some((*row, due)));
            }
            there.coming.iter().for_each(|coming| coming.see(began, row.version));
        }
        stale
    }

    pub fn late(self) -> Late {
        let mut late = Late::default();
        let written = self.written.into_inner().unwrap_or_else(PoisonError::into_inner);
        for coming in written.into_values().flat_map(|row| row.coming) {
            let times = if coming.failed { &mut late.failed } else { &mut late.returned };
            if let Some(micros) = coming.late.into_inner().checked_sub(1) {
                times.push(Duration::from_micros(micros));
            }
        }
        late
    }
}

impl Coming {
    /// A reader who began then has seen that version.
    fn see(&self, began: Moment, version: u32) {
        if self.number <= began.number {
            let after = began.at.saturating_sub(self.at).as_micros() as u64;
            let late = if version < self.version { after.max(1) } else { 0 };
            self.late.fetch_max(late + 1, Ordering::Relaxed);
        }
    }
}
