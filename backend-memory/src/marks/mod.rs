//! What has been invalidated by pattern, by tag, or altogether: a mark each, in one order.
//!
//! Invalidating writes a mark and is done, whatever the number of entries. An entry remembers the order up to
//! which it is known to be valid; a hit compares that with the latest mark, which is one atomic load. Marks are
//! dropped once every entry has been held against them (the sweep) and no load is in flight that began before.

mod orders;
mod patterns;
mod tags;

use std::sync::Arc;

use cache_core::{Pattern, Strength};

use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use patterns::Patterns;
pub(crate) use tags::TagMark;
use tags::Tags;

/// What the marks say of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Valid,
    /// No longer fresh.
    Stale,
    /// Never to be served again.
    Gone,
}

impl Verdict {
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Gone, _) | (_, Self::Gone) => Self::Gone,
            (Self::Stale, _) | (_, Self::Stale) => Self::Stale,
            _ => Self::Valid,
        }
    }
}

/// All marks of one store.
#[derive(Default)]
pub(crate) struct Marks {
    /// Raised by every mark, before it is made.
    order: AtomicU64,
    patterns: Patterns,
    tags: Tags,
    /// Loads that began before this publish nothing: the marks they would be held against are gone.
    floor: AtomicU64,
    /// A tag was marked since the last sweep began.
    unswept: AtomicBool,
    /// Every entry has been held against the pattern marks up to this one.
    swept: AtomicU64,
}

/// The order when a sweep began: of the latest pattern mark, and of everything.
pub(crate) struct Sweep {
    pub(crate) latest: u64,
    began: u64,
    /// Whether there are marks that entries have not been held against.
    pub(crate) due: bool,
}

/// How many pattern marks are kept, at most some 4 MB and the text of globs; one more marks everything.
pub(crate) const MANY: usize = 131_072;
/// How many marks are kept for the sake of loads alone, after a sweep.
const MANY_PATTERNS_FOR_LOADS: usize = 16_384;
const MANY_TAGS_FOR_LOADS: usize = 65_536;

impl Marks {
    /// The order now: what is stored or begins to load now is younger than every mark made so far.
    pub(crate) fn now(&self) -> u64 {
        self.order.load(Ordering::Acquire)
    }

    /// The order of the latest pattern mark.
    #[inline]
    pub(crate) fn latest(&self) -> u64 {
        self.patterns.latest()
    }

    /// Whether a load that began at `order` can still be held against every mark made since.
    pub(crate) fn remembers(&self, order: u64) -> bool {
        order >= self.floor.load(Ordering::Acquire)
    }

    /// Marks all keys that `pattern` matches (`None`: all keys). Returns how many such marks are kept.
    pub(crate) fn mark_pattern(&self, pattern: Option<Pattern>, strength: Strength) -> usize {
        self.patterns.mark(pattern, strength, || self.next())
    }

    pub(crate) fn mark_tag(&self, tag: &str, strength: Strength) {
        self.tags.mark(tag, strength, || self.next());
        self.unswept.store(true, Ordering::Release);
    }

    fn next(&self) -> u64 {
        self.order.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// The marks of `tags`, to be kept with an entry.
    pub(crate) fn tags(&self, tags: &[Box<str>]) -> Box<[Arc<TagMark>]> {
        tags.iter().map(|tag| self.tags.of(tag)).collect()
    }

    /// Entries that bore `tags` tags together have left, or bear others. Not to be told costs only memory: the marks
    /// of tags that are not used any more are then found when the index of tags has grown.
    pub(crate) fn released(&self, tags: usize) {
        if tags > 0 {
            self.tags.changed(tags);
        }
    }

    #[cfg(test)]
    pub(crate) fn tags_kept(&self) -> usize {
        self.tags.len()
    }

    /// What the pattern marks younger than `since` say of `key`, and up to where that holds.
    pub(crate) fn examine(&self, key: &[u8], since: u64) -> (Verdict, u64) {
        self.patterns.examine(key, since)
    }

    /// What all marks say of an entry of `key` that was `born` so; the pattern marks are looked at from `checked` on,
    /// which then says how far.
    pub(crate) fn judge(&self, key: &[u8], tags: &[Arc<TagMark>], born: u64, checked: &mut u64) -> Verdict {
        let tagged = tagged(tags, born);
        if *checked >= self.latest() {
            return tagged;
        }
        let (patterns, upto) = self.examine(key, *checked);
        *checked = upto;
        tagged.and(patterns)
    }

    /// To be taken before the first entry is held against the marks. One sweep at a time.
    pub(crate) fn begin_sweep(&self) -> Sweep {
        let (latest, began) = (self.latest(), self.now());
        let tags = self.unswept.swap(false, Ordering::AcqRel);
        Sweep { latest, began, due: tags || latest > self.swept.load(Ordering::Acquire) }
    }

    /// Forgets the marks that every entry has been held against since `sweep` began, but for those that a load
    /// which began at `oldest_load` must still be held against.
    pub(crate) fn forget(&self, sweep: &Sweep, oldest_load: u64) {
        self.swept.store(sweep.latest, Ordering::Release);
        let tags = self.tags.forget(sweep.began.min(oldest_load));
        let patterns = self.patterns.forget(sweep.latest.min(oldest_load));
        if tags > MANY_TAGS_FOR_LOADS || patterns > MANY_PATTERNS_FOR_LOADS {
            // Some load takes very long. It will not be stored; the marks stay bounded.
            self.floor.fetch_max(sweep.began, Ordering::AcqRel);
            self.tags.forget(sweep.began);
            self.patterns.forget(sweep.latest);
        }
    }
}

/// What the marks of an entry's tags say of it, if it was stored or began to load at `born`.
#[inline]
pub(crate) fn tagged(tags: &[Arc<TagMark>], born: u64) -> Verdict {
    tags.iter().fold(Verdict::Valid, |verdict, tag| verdict.and(tag.says(born)))
}
