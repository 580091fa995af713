//! What bounds the shards together: how many entries there may be, and what they may weigh.
//!
//! Room is taken before an entry is stored, so neither is ever exceeded, whatever the threads do.

use crate::sync::atomic::{AtomicU64, Ordering};

/// Room for entries, or what entries that left have given back.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Room {
    pub(crate) entries: u64,
    pub(crate) weight: u64,
}

impl Room {
    /// What is missing of `self` where there is `other`.
    fn less(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_sub(other.entries),
            weight: self.weight.saturating_sub(other.weight),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.weight += other.weight;
    }
}

struct Bound {
    used: AtomicU64,
    most: u64,
}

impl Bound {
    fn take(&self, amount: u64) -> bool {
        let taken = |used: u64| used.checked_add(amount).filter(|sum| *sum <= self.most);
        amount == 0 || self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    fn give(&self, amount: u64) {
        if amount > 0 {
            self.used.fetch_sub(amount, Ordering::Relaxed);
        }
    }

    /// Whether `part` is less than half of what one of `parts` may have.
    fn is_poor(&self, part: u64, parts: usize) -> bool {
        part.saturating_mul(2).saturating_mul(parts as u64) < self.most
    }
}

pub(crate) struct Budget {
    entries: Bound,
    /// Not where nobody weighs: every entry is then one.
    weight: Option<Bound>,
}

impl Budget {
    pub(crate) fn new(entries: u64, weight: Option<u64>) -> Self {
        let bound = |most| Bound { used: AtomicU64::new(0), most };
        Self { entries: bound(entries), weight: weight.map(bound) }
    }

    /// Whether an entry of this weight can be stored at all.
    pub(crate) fn admits(&self, weight: u64) -> bool {
        self.weight.as_ref().is_none_or(|bound| weight <= bound.most)
    }

    /// Takes room for `need`, of what is `in_hand` first.
    pub(crate) fn take(&self, need: Room, in_hand: &mut Room) -> bool {
        let short = need.less(*in_hand);
        if !self.entries.take(short.entries) {
            return false;
        }
        if !self.weight.as_ref().is_none_or(|weight| weight.take(short.weight)) {
            self.entries.give(short.entries);
            return false;
        }
        *in_hand = in_hand.less(need);
        true
    }

    pub(crate) fn give(&self, room: Room) {
        self.entries.give(room.entries);
        if let Some(weight) = &self.weight {
            weight.give(room.weight);
        }
    }

    /// Whether one of so many shards, with `held` in it, should rather not be the one to give way.
    pub(crate) fn is_poor(&self, held: Room, shards: usize) -> bool {
        shards > 1
            && self.entries.is_poor(held.entries, shards)
            && self.weight.as_ref().is_none_or(|weight| weight.is_poor(held.weight, shards))
    }

    /// The room in use.
    pub(crate) fn used(&self) -> Room {
        let entries = self.entries.used.load(Ordering::Relaxed);
        let weight = self.weight.as_ref().map(|weight| weight.used.load(Ordering::Relaxed));
        Room { entries, weight: weight.unwrap_or(entries) }
    }
}
