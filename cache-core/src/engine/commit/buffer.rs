//! Where the changes of a transaction wait.

use super::change::Change;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::target::Target;

/// How many changes wait for one commit; in place of more, their caches are to be forgotten whole.
const LIMIT: usize = 10_000;
/// How far back a change is compared, not to be kept twice.
const COMPARED: usize = 32;

static GROUPS: AtomicU64 = AtomicU64::new(1);

/// See the module.
pub(super) struct Buffer {
    /// Whose changes these are, as against those of others.
    pub(super) group: u64,
    /// `None`: it was decided, and what comes now is late.
    changes: Mutex<Option<Vec<Change>>>,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self::of_group(next_group())
    }

    pub(super) fn of_group(group: u64) -> Self {
        Self { group, changes: Mutex::new(Some(Vec::new())) }
    }

    /// Keeps a change; it comes back if it is too late for that.
    pub(super) fn keep(&self, change: Change) -> Result<(), Change> {
        let mut kept = self.changes.lock();
        let Some(changes) = &mut *kept else { return Err(change) };
        if changes.iter().rev().take(COMPARED).any(|other| other.repeats(&change)) {
            // It goes to the end: what was stored in between is to be forgotten, too.
            changes.retain(|other| !other.repeats(&change));
        }
        changes.push(change);
        if changes.len() > LIMIT {
            let all = std::mem::take(changes);
            for change in &all {
                let whole = Change::forget(change.engine(), Target::All);
                if !changes.iter().any(|other| other.repeats(&whole)) {
                    changes.push(whole);
                }
            }
        }
        Ok(())
    }

    /// What was kept; `None` if it was taken before.
    pub(super) fn close(&self) -> Option<Vec<Change>> {
        self.changes.lock().take()
    }

    pub(super) fn len(&self) -> usize {
        self.changes.lock().as_ref().map_or(0, Vec::len)
    }
}

pub(super) fn next_group() -> u64 {
    GROUPS.fetch_add(1, Ordering::Relaxed)
}
