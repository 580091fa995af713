//! What has left the store and is still to be dropped.

use super::held::Held;
use crate::shard::Stored;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A value's `Drop` is the user's code: it may use the store, and it may panic. moka evicts in the middle of anybody's operation, with locks of its own held, and the sweep must come to its end. So what they find comes here, and is
/// dropped when no lock is held.
#[derive(Default)]
pub(super) struct Departed {
    waiting: Mutex<Vec<Stored>>,
    /// How many wait, for whoever wants to know without the lock.
    count: AtomicUsize,
    evictions: AtomicU64,
}

impl Departed {
    /// moka has evicted `held`.
    pub(super) fn evicted(&self, held: &Held) {
        let Some(stored) = held.take() else { return };
        self.evictions.fetch_add(1, Ordering::Relaxed);
        self.add(stored);
    }

    pub(super) fn add(&self, stored: Stored) {
        let mut waiting = self.waiting.lock();
        waiting.push(stored);
        self.count.store(waiting.len(), Ordering::Release);
    }

    /// Drops what waits. Holds no lock.
    pub(super) fn bury(&self) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut waiting = self.waiting.lock();
        let gone = std::mem::take(&mut *waiting);
        self.count.store(0, Ordering::Release);
        drop(waiting);
        drop(gone);
    }

    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }
}
