//! Tag marks: one for each tag that an entry bears or that was invalidated lately.

mod index;

use std::hash::BuildHasher;
use std::sync::Arc;

use cache_core::Strength;
use rapidhash::quality::RandomState;

use super::Verdict;
use crate::shard::Name;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};
use index::Index;

/// When a tag was last invalidated, and last marked stale. Entries hold those of their tags.
pub(crate) struct TagMark {
    name: Name,
    removed: AtomicU64,
    staled: AtomicU64,
}

impl TagMark {
    fn new(name: &str) -> Self {
        let name = Name::new(name.as_bytes());
        Self { name, removed: AtomicU64::new(0), staled: AtomicU64::new(0) }
    }

    fn is_named(&self, tag: &str) -> bool {
        self.name.is(tag.as_bytes())
    }

    pub(crate) fn name(&self) -> &str {
        // It was one.
        str::from_utf8(self.name.as_bytes()).unwrap_or_default()
    }

    #[inline]
    pub(super) fn says(&self, born: u64) -> Verdict {
        if self.removed.load(Ordering::Acquire) > born {
            Verdict::Gone
        } else if self.staled.load(Ordering::Acquire) > born {
            Verdict::Stale
        } else {
            Verdict::Valid
        }
    }

    /// Only under the lock of its part, so that a mark never goes back.
    fn raise(&self, strength: Strength, order: u64) {
        let held = match strength {
            Strength::Remove => &self.removed,
            Strength::MarkStale => &self.staled,
        };
        held.store(order, Ordering::Release);
    }

    fn latest(&self) -> u64 {
        self.removed.load(Ordering::Acquire).max(self.staled.load(Ordering::Acquire))
    }
}

#[derive(Default)]
pub(super) struct Tags {
    /// Side by side, for each cache line more is one more that an invalidation meets cold.
    parts: [Mutex<Index>; PARTS],
    /// Seeded at random, so that nobody can choose tags that collide.
    hasher: RandomState,
    /// At least as many as there are marks in vain.
    changes: AtomicUsize,
}

/// (A model looks at each of them at every sweep.)
const PARTS: usize = if cfg!(shuttle) { 1 } else { 8 };
/// Fewer marks than this are looked through whenever there is anything to find.
const FEW: usize = 1024;

impl Tags {
    /// Goes on with the mark of `tag`, under the lock of its part. It is made if there is none.
    fn with<R>(&self, tag: &str, then: impl FnOnce(&Arc<TagMark>) -> R) -> R {
        let hash = self.hasher.hash_one(tag);
        // Not by the lowest bits: the part goes by those.
        let mut part = self.parts[(hash >> 40) as usize % PARTS].lock();
        if let Some(mark) = part.find(hash, tag) {
            return then(mark);
        }
        self.changed(1);
        let mark = Arc::new(TagMark::new(tag));
        let result = then(&mark);
        part.insert(hash, mark);
        result
    }

    /// The mark of `tag`, to be kept.
    pub(super) fn of(&self, tag: &str) -> Arc<TagMark> {
        self.with(tag, Arc::clone)
    }

    fn parts(&self) -> impl Iterator<Item = MutexGuard<'_, Index>> {
        self.parts.iter().map(|part| part.lock())
    }

    pub(super) fn len(&self) -> usize {
        self.parts().map(|part| part.len()).sum()
    }

    /// Entries have let go of `tags` marks.
    pub(super) fn changed(&self, tags: usize) {
        self.changes.fetch_add(tags, Ordering::Relaxed);
    }

    /// Marks `tag`, also one that no entry bears: a load in flight may name it when it is done.
    pub(super) fn mark(&self, tag: &str, strength: Strength, order: impl FnOnce() -> u64) {
        self.with(tag, |mark| mark.raise(strength, order()));
    }

    /// Drops the marks that no entry holds and that every load in flight is younger than, once they may be a
    /// quarter of all: so it costs in proportion to what changed. Returns how many it found that are kept for loads
    /// alone.
    pub(super) fn forget(&self, order: u64) -> usize {
        let changes = self.changes.load(Ordering::Relaxed);
        if changes == 0 || changes * 4 + FEW < self.len() {
            return 0;
        }
        self.changes.fetch_sub(changes, Ordering::Relaxed);
        let mut kept = 0;
        for mut part in self.parts() {
            // Whoever takes a mark does so under the part's lock, so the count cannot rise meanwhile.
            part.retain(|mark| {
                let held = Arc::strong_count(mark) > 1;
                let needed = held || mark.latest() > order;
                kept += usize::from(needed && !held);
                needed
            });
        }
        // To be looked at again.
        self.changed(kept);
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(n: u64) -> Tags {
        let tags = Tags::default();
        (1..=n).for_each(|i| tags.mark(&format!("t:{i}"), Strength::Remove, || i));
        tags
    }

    #[test]
    fn what_nobody_needs_is_dropped_and_its_memory_given_back() {
        let tags = marked(50_000);
        assert_eq!(tags.forget(30_000), 20_000);
        assert_eq!(tags.len(), 20_000);
        assert_eq!(tags.forget(50_000), 0);
        assert_eq!((tags.len(), tags.parts().map(|part| part.places()).sum::<usize>()), (0, 0));
    }

    #[test]
    fn what_entries_hold_is_looked_through_only_when_enough_has_changed() {
        let tags = marked(0);
        let mut held: Vec<_> = (0..50_000).map(|i| tags.of(&format!("t:{i}"))).collect();
        tags.forget(0);
        assert_eq!((tags.len(), tags.changes.load(Ordering::Relaxed)), (50_000, 0));
        held.truncate(45_000);
        tags.changed(5_000);
        tags.forget(0);
        assert_eq!(tags.len(), 50_000, "not yet");
        held.truncate(30_000);
        tags.changed(15_000);
        tags.forget(0);
        assert_eq!(tags.len(), 30_000);
        drop(held);
        tags.changed(30_000);
        tags.forget(0);
        assert!(tags.len() == 0);
    }
}
