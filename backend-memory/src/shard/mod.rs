//! One shard: the index, the slots, the eviction policy and the fences of its keys. Everything comes under the
//! shard's lock; there is no lock and no sharing in here.
//!
//! What leaves is handed to the caller, who drops it when the lock is free: a value's `Drop` is the user's code.

mod fences;
mod name;
mod slots;
mod sweep;

use cache_core::{Clock, Deadlines, Entry, Freshness, Tier, Time, Value};
use hashbrown::HashTable;

use crate::budget::Room;
use crate::departure::{Departed, Left, RemovalCause};
use crate::marks::{self, Marks, Verdict};
use crate::policy::{Id, Policy};
pub(crate) use fences::{Fences, Held};
pub(crate) use name::Name;
use slots::Slots;
pub(crate) use slots::Stored;

/// See the module.
pub(crate) struct Shard<P> {
    index: HashTable<Id>,
    slots: Slots,
    policy: P,
    pub(crate) fences: Fences,
    /// No entry expires before this.
    earliest: Time,
    /// It was sparse when the last sweep ended.
    sparse: bool,
    /// What its entries weigh together.
    weight: u64,
    pub(crate) evictions: u64,
    pub(crate) expirations: u64,
}

impl<P: Policy> Default for Shard<P> {
    fn default() -> Self {
        Self {
            index: HashTable::new(),
            slots: Slots::default(),
            policy: P::default(),
            fences: Fences::default(),
            earliest: Time::MAX,
            sparse: false,
            weight: 0,
            evictions: 0,
            expirations: 0,
        }
    }
}

impl<P: Policy> Shard<P> {
    #[inline]
    pub(crate) fn find(&self, hash: u64, key: &[u8]) -> Option<Id> {
        self.index.find(hash, |id| self.slots.hot(*id).is_named(key)).copied()
    }

    /// The hit path: a fresh value, if it is clear at a glance that it is valid.
    #[inline]
    pub(crate) fn fresh(&mut self, hash: u64, key: &[u8], marks: &Marks, clock: &Clock) -> Option<Value> {
        let id = self.find(hash, key)?;
        let slot = self.slots.hot(id);
        if !clock.is_before(slot.glance_until) || slot.checked < marks.latest() && !self.recheck(id, marks) {
            return None;
        }
        let slot = self.slots.hot(id);
        if slot.tagged {
            let cold = self.slots.cold(id);
            if marks::tagged(&cold.tags, cold.born) != Verdict::Valid {
                return None;
            }
        }
        let slot = self.slots.hot_mut(id);
        self.policy.hit(&mut slot.mark);
        slot.value.clone()
    }

    /// Whether the pattern marks made since the last time leave the entry as it is; then it remembers that.
    #[cold]
    fn recheck(&mut self, id: Id, marks: &Marks) -> bool {
        let slot = self.slots.hot_mut(id);
        let (verdict, upto) = marks.examine(slot.name(), slot.checked);
        if verdict == Verdict::Valid {
            slot.checked = upto;
        }
        verdict == Verdict::Valid
    }

    /// The entry of `key`, once the marks and the clock have been asked; `hit` tells the policy.
    pub(crate) fn lookup(
        &mut self,
        (hash, key): (u64, &[u8]),
        (marks, now): (&Marks, Time),
        hit: bool,
        out: &mut Departed,
    ) -> Option<Id> {
        let id = self.find(hash, key)?;
        if !self.judge(id, marks, now, out) {
            return None;
        }
        if hit {
            self.policy.hit(&mut self.slots.hot_mut(id).mark);
        }
        Some(id)
    }

    /// Holds an entry against the marks and the clock, and throws it out if it has to go; whether it stays.
    fn judge(&mut self, id: Id, marks: &Marks, now: Time, out: &mut Departed) -> bool {
        let (slot, cold, end) = self.slots.parts_mut(id);
        let mut checked = slot.checked;
        let verdict = marks.judge(slot.name(), &cold.tags, cold.born, &mut checked);
        slot.checked = checked;
        if verdict == Verdict::Stale {
            slot.glance_until = slot.glance_until.min(now);
            cold.fresh_until = cold.fresh_until.min(now);
        }
        if verdict == Verdict::Gone {
            return !self.remove(id, RemovalCause::Invalidated, out);
        }
        let deadlines = Deadlines { fresh_until: cold.fresh_until, stale_until: *end };
        if deadlines.at(now).is_some() {
            return true;
        }
        self.expirations += 1;
        !self.remove(id, RemovalCause::Expired, out)
    }

    pub(crate) fn entry(&self, id: Id, now: Time) -> Option<Entry> {
        let (slot, cold) = (self.slots.hot(id), self.slots.cold(id));
        let deadlines = self.deadlines(id);
        Some(Entry {
            value: slot.value.clone()?,
            left: deadlines.left(now),
            stale_for: now - cold.fresh_until.min(now),
            age: now - cold.stored,
            glance: slot.glance_until - now,
            tier: Tier::L1,
            origin: self.slots.origin(id),
            tags: cold.tags.iter().map(|tag| tag.name().into()).collect(),
        })
    }

    pub(crate) fn deadlines(&self, id: Id) -> Deadlines {
        Deadlines { fresh_until: self.slots.cold(id).fresh_until, stale_until: self.slots.end_of(id) }
    }

    pub(crate) fn is_fresh(&self, id: Id, now: Time) -> bool {
        self.deadlines(id).at(now) == Some(Freshness::Fresh)
    }

    pub(crate) fn set_deadlines(&mut self, id: Id, deadlines: Deadlines) {
        let (slot, cold, end) = self.slots.parts_mut(id);
        // A glance that ended with the freshness still does; one that ended earlier is not prolonged.
        let with_freshness = slot.glance_until == cold.fresh_until;
        slot.glance_until = match with_freshness {
            true => deadlines.fresh_until,
            false => slot.glance_until.min(deadlines.fresh_until),
        };
        cold.fresh_until = deadlines.fresh_until;
        *end = deadlines.stale_until;
        self.earliest = self.earliest.min(deadlines.stale_until);
    }

    pub(crate) fn value(&self, id: Id) -> Option<&Value> {
        self.slots.hot(id).value.as_ref()
    }

    /// Another value in the entry, of the same weight. The old one back.
    pub(crate) fn replace_value(&mut self, id: Id, value: Value) -> Option<Value> {
        self.slots.hot_mut(id).value.replace(value)
    }

    /// The room that an entry of this weight takes, beyond what its predecessor has, if any.
    pub(crate) fn room_for(&self, found: Option<Id>, weight: u32) -> Room {
        match found {
            None => Room { entries: 1, weight: weight.into() },
            Some(id) => {
                let more = weight.saturating_sub(self.slots.hot(id).weight);
                Room { entries: 0, weight: more.into() }
            }
        }
    }

    /// Stores an entry under `key`, in place of `found`, which is what there is of it. Its room has been taken.
    pub(crate) fn store(
        &mut self,
        (hash, key): (u64, &[u8]),
        found: Option<Id>,
        stored: Stored,
        weight: u32,
        out: &mut Departed,
    ) {
        self.earliest = self.earliest.min(stored.deadlines.stale_until);
        self.weight += u64::from(weight);
        let Some(id) = found else {
            let id = self.slots.insert(hash, key, stored, weight);
            let slots = &self.slots;
            self.index.insert_unique(hash, id, |id| slots.cold(*id).hash);
            return self.policy.insert(id, hash, weight);
        };
        let before = self.slots.hot(id).weight;
        self.weight -= u64::from(before);
        out.room.weight += u64::from(before.saturating_sub(weight));
        if before != weight {
            self.policy.reweigh(id, weight);
        }
        let old = self.slots.replace(id, stored, weight);
        let name = out.named.then(|| Name::new(key));
        out.push(old.map(|value| Left { name, value, cause: RemovalCause::Replaced }));
    }

    /// Evicts one entry; false if there is none.
    pub(crate) fn evict(&mut self, out: &mut Departed) -> bool {
        let Self { slots, policy, .. } = self;
        // The policy changes marks and asks for hashes; the latter stand apart.
        let (hot, cold) = slots.split();
        let Some(id) = policy.evict(hot, |id| cold[id as usize].hash) else { return false };
        self.evictions += 1;
        self.leave(id, RemovalCause::Capacity, out);
        true
    }

    /// An entry was stored in place of `found`, and evicted at once: it is too heavy.
    pub(crate) fn evict_at_once(&mut self, found: Option<Id>, out: &mut Departed) {
        self.evictions += 1;
        found.map(|id| self.remove(id, RemovalCause::Replaced, out));
    }

    /// Takes the entry out, for whatever reason but eviction; true, for it was there.
    pub(crate) fn remove(&mut self, id: Id, cause: RemovalCause, out: &mut Departed) -> bool {
        self.policy.remove(id);
        self.leave(id, cause, out);
        true
    }

    /// Takes the entry, of which the policy knows nothing any more, from its slot and the index.
    fn leave(&mut self, id: Id, cause: RemovalCause, out: &mut Departed) {
        let (hash, weight) = (self.slots.cold(id).hash, self.slots.hot(id).weight.into());
        if let Ok(entry) = self.index.find_entry(hash, |other| *other == id) {
            entry.remove();
        }
        self.weight -= weight;
        out.room.add(Room { entries: 1, weight });
        let left = self.slots.free(id);
        out.push(left.map(|(name, value)| Left { name: Some(name), value, cause }));
    }

    /// What its entries take.
    pub(crate) fn held(&self) -> Room {
        Room { entries: self.index.len() as u64, weight: self.weight }
    }

    /// Everything out of it, but for the fences and the counts.
    pub(crate) fn clear(&mut self) -> Contents<impl Sized + use<P>> {
        let room = self.held();
        (self.earliest, self.weight) = (Time::MAX, 0);
        let rest = (std::mem::take(&mut self.index), std::mem::take(&mut self.policy));
        Contents { slots: std::mem::take(&mut self.slots), room, _rest: rest }
    }
}

/// What was in a shard, to be dropped without its lock.
pub(crate) struct Contents<R> {
    slots: Slots,
    pub(crate) room: Room,
    _rest: R,
}

impl<R> Contents<R> {
    /// The entries as they leave, and how many tag marks they bore.
    pub(crate) fn leave(self) -> (impl Iterator<Item = Left>, usize) {
        let (entries, tags) = self.slots.into_entries();
        let left = |(name, value)| Left { name: Some(name), value, cause: RemovalCause::Invalidated };
        (entries.map(left), tags)
    }
}
