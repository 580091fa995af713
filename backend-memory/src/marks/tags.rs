//! Tag marks: one for each tag that an entry bears or that was invalidated lately.

use std::sync::Arc;

use cache_core::Strength;

use super::Verdict;
use crate::sync::DashMap;
use crate::sync::atomic::{AtomicU64, Ordering};

/// When a tag was last invalidated, and last marked stale. Entries hold those of their tags.
#[derive(Default)]
pub(crate) struct TagMark {
    removed: AtomicU64,
    staled: AtomicU64,
}

impl TagMark {
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
pub(super) struct Tags(DashMap<Box<str>, Arc<TagMark>>);

impl Tags {
    pub(super) fn of(&self, tag: &str) -> Arc<TagMark> {
        if let Some(mark) = self.0.get(tag) {
            return mark.clone();
        }
        self.0.entry(tag.into()).or_default().clone()
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

    /// Drops the marks that no entry holds and that every load in flight is younger than. Returns how many are
    /// kept for loads alone.
    pub(super) fn forget(&self, order: u64) -> usize {
        let mut kept = 0;
        // Whoever takes a mark does so under the map's lock, so the count cannot rise meanwhile.
        self.0.retain(|_, mark| {
            let held = Arc::strong_count(mark) > 1;
            let needed = held || mark.latest() > order;
            kept += usize::from(needed && !held);
            needed
        });
        self.0.shrink_to_fit();
        kept
    }
}
