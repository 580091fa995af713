//! Pattern marks, in the order in which they were made.

use cache_core::{Pattern, Strength};

use super::Verdict;
use crate::sync::RwLock;
use crate::sync::atomic::{AtomicU64, Ordering};

struct PatternMark {
    order: u64,
    /// `None` covers everything.
    pattern: Option<Pattern>,
    strength: Strength,
}

#[derive(Default)]
pub(super) struct Patterns {
    latest: AtomicU64,
    marks: RwLock<Vec<PatternMark>>,
}

impl Patterns {
    #[inline]
    pub(super) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    pub(super) fn mark(
        &self,
        pattern: Option<Pattern>,
        strength: Strength,
        order: impl FnOnce() -> u64,
    ) -> usize {
        let mut marks = self.marks.write();
        // Taken under the lock, so that marks stand in order and `latest` never goes back.
        let order = order();
        if pattern.is_none() && strength == Strength::Remove {
            // What is older than this is gone in any case.
            marks.clear();
        }
        marks.push(PatternMark { order, pattern, strength });
        // Readers see the mark before they see that there is one.
        self.latest.store(order, Ordering::Release);
        marks.len()
    }

    pub(super) fn examine(&self, key: &[u8], since: u64) -> (Verdict, u64) {
        let marks = self.marks.read();
        let upto = self.latest();
        let verdict = marks
            .iter()
            .rev()
            .take_while(|mark| mark.order > since)
            .filter(|mark| mark.pattern.as_ref().is_none_or(|pattern| pattern.matches(key)))
            .map(|mark| match mark.strength {
                Strength::Remove => Verdict::Gone,
                Strength::MarkStale => Verdict::Stale,
            })
            .fold(Verdict::Valid, Verdict::and);
        (verdict, upto)
    }

    /// Drops the marks up to `order`; returns how many are left.
    pub(super) fn forget(&self, order: u64) -> usize {
        let mut marks = self.marks.write();
        marks.retain(|mark| mark.order > order);
        marks.len()
    }
}
