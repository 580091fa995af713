//! When something was last invalidated, and last marked stale: all that is ever asked of a mark.

use cache_core::Strength;

use super::Verdict;

/// The newest order of either strength; zero: never. The same again is no new record.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Orders {
    removed: u64,
    staled: u64,
}

impl Orders {
    pub(super) fn raise(&mut self, strength: Strength, order: u64) {
        let held = match strength {
            Strength::Remove => &mut self.removed,
            Strength::MarkStale => &mut self.staled,
        };
        *held = order.max(*held);
    }

    /// What this says of an entry that was held against everything up to `since`.
    pub(super) fn says(self, since: u64) -> Verdict {
        if self.removed > since {
            Verdict::Gone
        } else if self.staled > since {
            Verdict::Stale
        } else {
            Verdict::Valid
        }
    }

    pub(super) fn latest(self) -> u64 {
        self.removed.max(self.staled)
    }
}
