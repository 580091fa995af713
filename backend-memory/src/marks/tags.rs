//! Tag marks: one for each tag that an entry bears or that was invalidated lately.

use std::sync::Arc;

use cache_core::Strength;

use super::Verdict;
use crate::sync::DashMap;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// When a tag was last invalidated, and last marked stale. Entries hold those of their tags.
pub(crate) struct TagMark {
    name: Box<str>,
    removed: AtomicU64,
    staled: AtomicU64,
}

impl TagMark {
    fn new(name: &str) -> Self {
        Self { name: name.into(), removed: AtomicU64::new(0), staled: AtomicU64::new(0) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
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

    fn latest(&self) -> u64 {
        self.removed.load(Ordering::Acquire).max(self.staled.load(Ordering::Acquire))
    }
}

#[derive(Default)]
pub(super) struct Tags {
    marks: DashMap<Box<str>, Arc<TagMark>>,
    /// At least as many as there are marks in vain.
    changes: AtomicUsize,
}

/// Fewer marks than this are looked through whenever there is anything to find.
const FEW: usize = 1024;

impl Tags {
    pub(super) fn of(&self, tag: &str) -> Arc<TagMark> {
        if let Some(mark) = self.marks.get(tag) {
            return mark.clone();
        }
        self.changed(1);
        self.marks.entry(tag.into()).or_insert_with(|| Arc::new(TagMark::new(tag))).clone()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    /// Entries have let go of `tags` marks.
    pub(super) fn changed(&self, tags: usize) {
        self.changes.fetch_add(tags, Ordering::Relaxed);
    }

    /// Marks `tag`, also one that no entry bears: a load in flight may name it when it is done.
    pub(super) fn mark(&self, tag: &str, strength: Strength, order: impl FnOnce() -> u64) {
        let mark = self.of(tag);
        let kind = match strength {
            Strength::Remove => &mark.removed,
            Strength::MarkStale => &mark.staled,
        };
        kind.fetch_max(order(), Ordering::AcqRel);
    }

    /// Drops the marks that no entry holds and that every load in flight is younger than, once they may be a
    /// quarter of all: so it costs in proportion to what changed. Returns how many it found that are kept for loads
    /// alone.
    pub(super) fn forget(&self, order: u64) -> usize {
        let changes = self.changes.load(Ordering::Relaxed);
        if changes == 0 || changes * 4 + FEW < self.marks.len() {
            return 0;
        }
        self.changes.fetch_sub(changes, Ordering::Relaxed);
        let mut kept = 0;
        // Whoever takes a mark does so under the map's lock, so the count cannot rise meanwhile.
        self.marks.retain(|_, mark| {
            let held = Arc::strong_count(mark) > 1;
            let needed = held || mark.latest() > order;
            kept += usize::from(needed && !held);
            needed
        });
        if self.marks.capacity() > FEW + 4 * self.marks.len() {
            self.marks.shrink_to_fit();
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
        assert_eq!(tags.marks.len(), 20_000);
        assert_eq!(tags.forget(50_000), 0);
        assert!(tags.marks.is_empty() && tags.marks.capacity() <= FEW);
    }

    #[test]
    fn what_entries_hold_is_looked_through_only_when_enough_has_changed() {
        let tags = marked(0);
        let mut held: Vec<_> = (0..50_000).map(|i| tags.of(&format!("t:{i}"))).collect();
        tags.forget(0);
        assert_eq!((tags.marks.len(), tags.changes.load(Ordering::Relaxed)), (50_000, 0));
        held.truncate(45_000);
        tags.changed(5_000);
        tags.forget(0);
        assert_eq!(tags.marks.len(), 50_000, "not yet");
        held.truncate(30_000);
        tags.changed(15_000);
        tags.forget(0);
        assert_eq!(tags.marks.len(), 30_000);
        drop(held);
        tags.changed(30_000);
        tags.forget(0);
        assert!(tags.marks.is_empty());
    }
}
