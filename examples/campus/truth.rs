//! The stale check: what every reader was entitled to see.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::rows::{Row, Table};

/// Every write whose invalidation has returned, in that order.
#[derive(Default)]
pub struct Truth {
    acknowledged: AtomicU64,
    written: RwLock<HashMap<(Table, u32), Vec<Version>>>,
}

struct Version {
    acknowledged: u64,
    version: u32,
}

/// A point in the order of acknowledged writes.
#[derive(Clone, Copy)]
pub struct Moment(u64);

impl Truth {
    /// Call it when the invalidations of a write have returned.
    pub fn acknowledge(&self, rows: &[Row]) {
        let mut written = self.written.write().unwrap_or_else(PoisonError::into_inner);
        let acknowledged = self.acknowledged.load(Ordering::Relaxed) + 1;
        for row in rows {
            let versions = written.entry((row.table, row.id)).or_default();
            versions.push(Version { acknowledged, version: row.version });
        }
        self.acknowledged.store(acknowledged, Ordering::SeqCst);
    }

    /// Now: whoever begins to read now must see every write acknowledged so far.
    pub fn now(&self) -> Moment {
        Moment(self.acknowledged.load(Ordering::SeqCst))
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
