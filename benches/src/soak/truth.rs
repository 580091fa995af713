//! The source that is cached: a version for each key, and which versions may still be read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys are in groups; a group has a pattern and a tag.
pub(super) const GROUPS: usize = 64;

/// One number for each key, group and for everything: the least version that may be served.
///
/// A writer takes a new version, invalidates, and *then* raises the least one: whoever reads the least before the cache
/// must be served at least that.
pub struct Truth {
    /// The clock of the source: a load's version is its time.
    now: AtomicU64,
    keys: Box<[AtomicU64]>,
    groups: Box<[AtomicU64]>,
    all: AtomicU64,
    /// One writer of a group at a time, as a database would have it: a `set` of what was true before another writer's
    /// invalidation, and that comes after it, is stale by its caller's fault. Loads take no lock.
    writers: Box<[Mutex<()>]>,
}

/// What an invalidation covers.
#[derive(Clone, Copy, Debug)]
pub enum Covered {
    /// One key.
    Key(usize),
    /// The keys of a group.
    Group(usize),
    /// All of them.
    All,
}

impl Truth {
    /// Of so many keys.
    pub fn new(keys: usize) -> Self {
        let zeros = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        let writers = (0..GROUPS).map(|_| Mutex::default()).collect();
        Self {
            now: AtomicU64::new(1),
            keys: zeros(keys),
            groups: zeros(GROUPS),
            all: AtomicU64::new(0),
            writers,
        }
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// What a load that reads the source now is given.
    pub fn version(&self) -> u64 {
        self.now.load(Ordering::SeqCst)
    }

    /// The source changes, then `invalidate` tells the cache, and from its return on nothing older may be served.
    pub fn change(&self, covered: Covered, invalidate: impl FnOnce()) {
        let _writers = self.lock(covered);
        let version = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        invalidate();
        let least = match covered {
            Covered::Key(key) => &self.keys[key],
            Covered::Group(group) => &self.groups[group],
            Covered::All => &self.all,
        };
        least.fetch_max(version, Ordering::SeqCst);
    }

    fn lock(&self, covered: Covered) -> Vec<MutexGuard<'_, ()>> {
        let groups = match covered {
            Covered::Key(key) => key % GROUPS..key % GROUPS + 1,
            Covered::Group(group) => group..group + 1,
            Covered::All => 0..GROUPS,
        };
        self.writers[groups]
            .iter()
            .map(|group| group.lock().unwrap_or_else(PoisonError::into_inner))
            .collect()
    }

    /// The least version that a read of `key` that starts now may be given.
    pub fn least(&self, key: usize) -> u64 {
        let of_key = self.keys[key].load(Ordering::SeqCst);
        let of_group = self.groups[key % GROUPS].load(Ordering::SeqCst);
        of_key.max(of_group).max(self.all.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_loaded_before_a_change_is_too_old_after_it() {
        for (covered, other) in [(Covered::Key(3), 4), (Covered::Group(3), 4), (Covered::All, 4)] {
            let truth = Truth::new(100);
            let loaded = truth.version();
            assert!(loaded >= truth.least(3));
            truth.change(covered, || assert!(loaded >= truth.least(3), "not before it returns"));
            assert!(loaded < truth.least(3), "{covered:?}");
            assert_eq!(loaded < truth.least(other), matches!(covered, Covered::All), "{covered:?}");
            assert!(truth.version() >= truth.least(3));
        }
    }
}
