//! The entries of a shard, in slots that are used again. What a hit reads stands in one cache line; the rest apart.

use std::sync::Arc;
use std::time::Duration;

use cache_core::{Deadlines, Origin, Tiers, Time, Value};

use super::name::Name;
use crate::marks::TagMark;
use crate::policy::{Id, Marks};

/// What a hit reads: 64 bytes.
#[repr(align(64))]
pub(super) struct Hot {
    name: Name,
    /// `None`: the slot is free.
    pub(super) value: Option<Value>,
    /// Fresh before this, as far as a glance can tell; never later than `fresh_until`.
    pub(super) glance_until: Time,
    /// The pattern marks up to this order do not cover it.
    pub(super) checked: u64,
    /// Not read by a hit; there is room for it.
    pub(super) weight: u32,
    pub(super) mark: u8,
    pub(super) tagged: bool,
    /// For whoever stands in front; kept here because there is room.
    tiers: Tiers,
}

impl Hot {
    #[inline]
    pub(super) fn is_named(&self, key: &[u8]) -> bool {
        self.name.is(key)
    }

    pub(super) fn name(&self) -> &[u8] {
        self.name.as_bytes()
    }
}

pub(super) struct Cold {
    pub(super) hash: u64,
    pub(super) fresh_until: Time,
    pub(super) stored: Time,
    /// The order of the store when its value was stored, or began to load: tag marks younger than this cover it.
    pub(super) born: u64,
    pub(super) tags: Box<[Arc<TagMark>]>,
    /// What its load cost, in the whole milliseconds that clocks count; from 49 days on, that.
    cost_ms: u32,
    version: u32,
    age_ms: u64,
}

/// An entry to be stored.
pub(crate) struct Stored {
    pub(crate) value: Value,
    pub(crate) deadlines: Deadlines,
    pub(crate) glance_until: Time,
    pub(crate) at: Time,
    pub(crate) born: u64,
    /// The pattern marks up to this order do not cover it.
    pub(crate) checked: u64,
    pub(crate) tags: Box<[Arc<TagMark>]>,
    pub(crate) origin: Origin,
}

impl Stored {
    fn split(self, hash: u64, name: Name, weight: u32) -> (Hot, Cold, Time) {
        let hot = Hot {
            name,
            value: Some(self.value),
            glance_until: self.glance_until.min(self.deadlines.fresh_until),
            checked: self.checked,
            weight,
            mark: 0,
            tagged: !self.tags.is_empty(),
            tiers: self.origin.tiers,
        };
        let Deadlines { fresh_until, stale_until } = self.deadlines;
        let (stored, born, tags) = (self.at, self.born, self.tags);
        let Origin { cost, version, age, .. } = self.origin;
        let cost_ms = u32::try_from(cost.as_millis()).unwrap_or(u32::MAX);
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        (hot, Cold { hash, fresh_until, stored, born, tags, cost_ms, version, age_ms }, stale_until)
    }
}

#[derive(Default)]
pub(super) struct Slots {
    hot: Vec<Hot>,
    cold: Vec<Cold>,
    /// When each entry is gone; never, where a slot is free. By itself, for the sweep looks through all of it.
    ends: Vec<Time>,
    free: Vec<Id>,
    /// So many tag marks were let go of.
    released: usize,
}

/// Fewer slots than this are not worth giving back.
const FEW: usize = 256;

impl Slots {
    #[inline]
    pub(super) fn hot(&self, id: Id) -> &Hot {
        &self.hot[id as usize]
    }

    #[inline]
    pub(super) fn hot_mut(&mut self, id: Id) -> &mut Hot {
        &mut self.hot[id as usize]
    }

    pub(super) fn cold(&self, id: Id) -> &Cold {
        &self.cold[id as usize]
    }

    /// How the entry came about.
    pub(super) fn origin(&self, id: Id) -> Origin {
        let (hot, Cold { cost_ms, version, age_ms, .. }) = (self.hot(id), self.cold(id));
        let (cost, age) = (Duration::from_millis((*cost_ms).into()), Duration::from_millis(*age_ms));
        Origin { cost, version: *version, age, tiers: hot.tiers }
    }

    pub(super) fn end_of(&self, id: Id) -> Time {
        self.ends[id as usize]
    }

    /// All of one slot: what a hit reads, the rest, and when it is gone.
    pub(super) fn parts_mut(&mut self, id: Id) -> (&mut Hot, &mut Cold, &mut Time) {
        let at = id as usize;
        (&mut self.hot[at], &mut self.cold[at], &mut self.ends[at])
    }

    pub(super) fn split(&mut self) -> (&mut Vec<Hot>, &[Cold]) {
        (&mut self.hot, &self.cold)
    }

    pub(super) fn is_used(&self, id: Id) -> bool {
        self.hot(id).value.is_some()
    }

    /// One past the last slot, free ones included.
    pub(super) fn end(&self) -> Id {
        // A shard of 2³² entries would be a quarter of a terabyte.
        self.hot.len() as Id
    }

    pub(super) fn insert(&mut self, hash: u64, key: &[u8], stored: Stored, weight: u32) -> Id {
        let (hot, cold, end) = stored.split(hash, Name::new(key), weight);
        match self.free.pop() {
            Some(id) => {
                let at = id as usize;
                (self.hot[at], self.cold[at], self.ends[at]) = (hot, cold, end);
                id
            }
            None => {
                self.hot.push(hot);
                self.cold.push(cold);
                self.ends.push(end);
                self.end() - 1
            }
        }
    }

    /// A new entry under the same name; the old value. Its mark stays: it is the key that was read.
    pub(super) fn replace(&mut self, id: Id, stored: Stored, weight: u32) -> Option<Value> {
        let at = id as usize;
        let name = std::mem::take(&mut self.hot[at].name);
        let mark = self.hot[at].mark;
        let (mut hot, cold, end) = stored.split(self.cold[at].hash, name, weight);
        hot.mark = mark;
        self.released += self.cold[at].tags.len();
        (self.cold[at], self.ends[at]) = (cold, end);
        std::mem::replace(&mut self.hot[at], hot).value
    }

    pub(super) fn free(&mut self, id: Id) -> Option<(Name, Value)> {
        let at = id as usize;
        self.free.push(id);
        self.ends[at] = Time::MAX;
        self.released += std::mem::take(&mut self.cold[at].tags).len();
        let name = std::mem::take(&mut self.hot[at].name);
        Some((name, self.hot[at].value.take()?))
    }

    /// How many tag marks were let go of since the last time.
    pub(super) fn take_released(&mut self) -> usize {
        std::mem::take(&mut self.released)
    }

    /// All entries, and how many tag marks they bore.
    pub(super) fn into_entries(self) -> (impl Iterator<Item = (Name, Value)>, usize) {
        let tags = self.released + self.cold.iter().map(|cold| cold.tags.len()).sum::<usize>();
        (self.hot.into_iter().filter_map(|hot| Some((hot.name, hot.value?))), tags)
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.hot.capacity()
    }

    /// Whether most of the memory is used by nothing.
    pub(super) fn are_sparse(&self) -> bool {
        self.hot.capacity() > FEW && (self.hot.len() - self.free.len()) * 4 < self.hot.capacity()
    }

    /// Moves the last entries to free slots before them, up to `most` of them, and tells `moved` of each. Once none
    /// is free any more, gives the memory behind back, and says true.
    pub(super) fn compact(&mut self, most: usize, mut moved: impl FnMut(u64, Id, Id)) -> bool {
        // The first slots first: what moves there need not move again.
        self.free.sort_unstable_by(|a, b| b.cmp(a));
        for _ in 0..most {
            while self.hot.last().is_some_and(|hot| hot.value.is_none()) {
                self.hot.pop();
            }
            let Some(last) = self.hot.len().checked_sub(1) else { break };
            let to = loop {
                match self.free.pop() {
                    // It went with the end.
                    Some(id) if id as usize > last => {}
                    other => break other,
                }
            };
            let Some(to) = to else { break };
            moved(self.cold[last].hash, last as Id, to);
            self.cold.truncate(last + 1);
            self.ends.truncate(last + 1);
            self.hot.swap_remove(to as usize);
            self.cold.swap_remove(to as usize);
            self.ends.swap_remove(to as usize);
        }
        let end = self.hot.len();
        self.cold.truncate(end);
        self.ends.truncate(end);
        self.free.retain(|id| (*id as usize) < end);
        if self.free.is_empty() {
            // To a size that it grew through: grown again, it fits into the holes that it left in the allocator's heap.
            let size = end.next_power_of_two();
            self.hot.shrink_to(size);
            self.cold.shrink_to(size);
            self.ends.shrink_to(size);
            self.free.shrink_to_fit();
        }
        self.free.is_empty()
    }
}

impl Marks for Vec<Hot> {
    fn mark(&mut self, id: Id) -> &mut u8 {
        &mut self[id as usize].mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_reads_one_cache_line_and_the_rest_is_one() {
        assert_eq!((size_of::<Hot>(), align_of::<Hot>()), (64, 64));
        assert_eq!(size_of::<Cold>(), 64);
    }
}
