//! An entry as moka holds it: a cell whose content changes in place, and leaves it when the entry goes.
//!
//! moka drops what it removed some time later, when no thread can be reading it any more. The content is taken out at
//! once, so that a value is dropped when its entry goes; whoever still holds the cell finds it empty.

use cache_core::{Clock, Entry, Freshness, Tier, Time, Value};

use crate::marks::{self, Marks, Verdict};
use crate::shard::Stored;
use crate::sync::{Mutex, MutexGuard};

/// See the module. Never locked while moka is called: moka may evict, and what it evicts is locked then.
pub(super) struct Held(Mutex<Option<Stored>>);

/// What the marks and the clock say of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Judged {
    Stays,
    Invalidated,
    Expired,
}

impl Held {
    pub(super) fn new(stored: Stored) -> Self {
        Self(Mutex::new(Some(stored)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Option<Stored>> {
        self.0.lock()
    }

    /// Empties the cell for good: an entry that comes later stands in a cell of its own.
    pub(super) fn take(&self) -> Option<Stored> {
        self.lock().take()
    }

    /// The hit path: a fresh value, if it is clear at a glance that it is valid.
    pub(super) fn glance(&self, marks: &Marks, clock: &Clock) -> Option<Value> {
        let cell = self.lock();
        let stored = cell.as_ref()?;
        let until = stored.glance_until.min(stored.deadlines.fresh_until);
        if stored.checked < marks.latest() || !clock.is_before(until) {
            return None;
        }
        if marks::tagged(&stored.tags, stored.born) != Verdict::Valid {
            return None;
        }
        Some(stored.value.clone())
    }
}

impl Stored {
    /// Holds the entry of `key` against the marks and the clock. What does not stay must be taken out before the cell
    /// is unlocked: it is not held against the same marks again.
    pub(super) fn judge(&mut self, key: &str, marks: &Marks, now: Time) -> Judged {
        match marks.judge(key.as_bytes(), &self.tags, self.born, &mut self.checked) {
            Verdict::Gone => return Judged::Invalidated,
            Verdict::Stale => self.mark_stale(now),
            Verdict::Valid => {}
        }
        match self.deadlines.at(now) {
            Some(_) => Judged::Stays,
            None => Judged::Expired,
        }
    }

    pub(super) fn mark_stale(&mut self, now: Time) {
        self.deadlines.fresh_until = self.deadlines.fresh_until.min(now);
    }

    pub(super) fn is_fresh(&self, now: Time) -> bool {
        self.deadlines.at(now) == Some(Freshness::Fresh)
    }

    pub(super) fn entry(&self, now: Time) -> Entry {
        Entry {
            value: self.value.clone(),
            left: self.deadlines.left(now),
            stale_for: now - self.deadlines.fresh_until.min(now),
            age: now - self.at,
            glance: self.glance_until - now,
            tier: Tier::L1,
            origin: self.origin,
            tags: self.tags.iter().map(|tag| tag.name().into()).collect(),
        }
    }
}
