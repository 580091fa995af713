//! Pattern marks, found by what is literal in the patterns.
//!
//! To hold a key against all marks takes a look-up for each *shape* of pattern, not for each pattern: 10 000
//! patterns like `user:17:*` are of four shapes. Only what is neither literal text with one star in it nor
//! `*text*` is matched as a glob, and only by keys that contain its literal text.
//!
//! All of it is bounded ([`Limits`]). A mark that finds no room covers more than its pattern, at worst everything,
//! until the next sweep has made room: an entry too many is loaded again, none too few.

mod ends;
mod form;
mod middles;
#[cfg(test)]
mod tests;

use cache_core::{Pattern, Strength};
use rapidhash::v3::RapidSecrets;

use super::Verdict;
use super::orders::Orders;
use crate::sync::RwLock;
use crate::sync::atomic::{AtomicU64, Ordering};
use ends::Ends;
use form::Form;
use middles::Middles;

/// How much is kept.
struct Limits {
    /// Shapes of [`Ends`]: further ones are kept as globs.
    shapes: usize,
    /// Lengths of literal texts in [`Middles`]: longer texts than fit are cut.
    lengths: usize,
    /// Globs under one literal text: a further one marks all keys that contain the text.
    globs: usize,
    /// Bytes of all globs: where they are used up, likewise.
    bytes: usize,
    /// Marks in all: a further one marks everything.
    marks: usize,
}

const LIMITS: Limits = Limits { shapes: 64, lengths: 16, globs: 32, bytes: 4 << 20, marks: super::MANY };

struct Index {
    /// Needs no room, so it is never forgotten.
    everything: Orders,
    ends: Ends,
    middles: Middles,
    limits: Limits,
    secrets: RapidSecrets,
}

pub(super) struct Patterns {
    latest: AtomicU64,
    index: RwLock<Index>,
}

impl Default for Patterns {
    fn default() -> Self {
        Self::new(LIMITS)
    }
}

impl Patterns {
    fn new(limits: Limits) -> Self {
        let (ends, middles, secrets) = (Ends::default(), Middles::default(), RapidSecrets::random());
        let index = Index { everything: Orders::default(), ends, middles, limits, secrets };
        Self { latest: AtomicU64::new(0), index: RwLock::new(index) }
    }

    #[inline]
    pub(super) fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    /// Marks what `pattern` matches, or everything. Returns how many marks are kept.
    pub(super) fn mark(
        &self,
        pattern: Option<Pattern>,
        strength: Strength,
        order: impl FnOnce() -> u64,
    ) -> usize {
        let pattern = pattern.map(|pattern| (Form::of(&pattern), pattern));
        let mut index = self.index.write();
        // Taken under the lock, so that `latest` never goes back.
        let order = order();
        index.mark(pattern, (strength, order));
        // Readers see the mark before they see that there is one.
        self.latest.store(order, Ordering::Release);
        index.len()
    }

    pub(super) fn examine(&self, key: &[u8], since: u64) -> (Verdict, u64) {
        let latest = self.latest();
        if latest <= since {
            // Nothing newer, and no lock for that, which all who publish would meet at. A mark under way is newer than what
            // is said here, so who is held up to this will be held against it.
            return (Verdict::Valid, latest);
        }
        let index = self.index.read();
        (index.says(key, since), self.latest())
    }

    /// Drops the marks up to `order`; returns how many are left.
    pub(super) fn forget(&self, order: u64) -> usize {
        if self.index.read().len() == 0 {
            return 0;
        }
        let mut index = self.index.write();
        index.ends.forget(order);
        index.middles.forget(order);
        index.len()
    }
}

impl Index {
    fn mark(&mut self, pattern: Option<(Form, Pattern)>, mark: (Strength, u64)) {
        let Some((form, pattern)) = pattern else { return self.mark_everything(mark) };
        if self.len() >= self.limits.marks {
            return self.mark_everything(mark);
        }
        let Self { ends, middles, limits, secrets, .. } = self;
        let marked = match &form {
            Form::Everything => return self.mark_everything(mark),
            Form::Exactly(key) => ends.mark(secrets, (key, &[], true), mark, limits.shapes),
            Form::Ends { prefix, suffix } => ends.mark(secrets, (prefix, suffix, false), mark, limits.shapes),
            Form::Contains(literal) => middles.mark_containing(secrets, literal, mark, limits),
            Form::Glob { .. } => false,
        };
        if !marked {
            middles.mark_glob(secrets, (pattern, &form.literals()), mark, limits);
        }
    }

    fn mark_everything(&mut self, (strength, order): (Strength, u64)) {
        self.everything.raise(strength, order);
        if strength == Strength::Remove {
            // What is older than this is gone in any case.
            (self.ends, self.middles) = Default::default();
        }
    }

    fn says(&self, key: &[u8], since: u64) -> Verdict {
        let everything = self.everything.says(since);
        if everything == Verdict::Gone {
            return everything;
        }
        let ends = self.ends.says(&self.secrets, key, since);
        everything.and(ends).and(self.middles.says(&self.secrets, key, since))
    }

    fn len(&self) -> usize {
        self.ends.len() + self.middles.len()
    }
}
