//! One shard: the index, the slots, the eviction policy and the fences of its keys. Everything comes under the
//! shard's lock; there is no lock and no sharing in here.
//!
//! What leaves is handed to the caller, who drops it when the lock is free: a value's `Drop` is the user's code.

mod fences;
mod name;
mod slots;

use cache_core::{Clock, Deadlines, Entry, Freshness, Tier, Time, Value};
use hashbrown::HashTable;

use crate::marks::{self, Marks, Sweep, Verdict};
use crate::policy::{Id, Policy};
pub(crate) use fences::{Fences, Held};
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
            evictions: 0,
            expirations: 0,
        }
    }
}

/// What a lookup found, and what it threw out on the way.
pub(crate) enum Lookup {
    Nothing,
    /// Invalidated or expired just now; to be dropped without the lock.
    Gone(Value),
    Found(Id),
}

impl<P: Policy> Shard<P> {
    #[inline]
    fn find(&self, hash: u64, key: &[u8]) -> Option<Id> {
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
    pub(crate) fn lookup(&mut self, hash: u64, key: &[u8], marks: &Marks, now: Time, hit: bool) -> Lookup {
        let Some(id) = self.find(hash, key) else { return Lookup::Nothing };
        match self.judge(id, marks, now) {
            Some(gone) => Lookup::Gone(gone),
            None => {
                if hit {
                    self.policy.hit(&mut self.slots.hot_mut(id).mark);
                }
                Lookup::Found(id)
            }
        }
    }

    /// Holds an entry against the marks and the clock; its value, if it had to go.
    fn judge(&mut self, id: Id, marks: &Marks, now: Time) -> Option<Value> {
        let (slot, cold) = self.slots.both_mut(id);
        let mut checked = slot.checked;
        let verdict = marks.judge(slot.name(), &cold.tags, cold.born, &mut checked);
        slot.checked = checked;
        if verdict == Verdict::Stale {
            slot.glance_until = slot.glance_until.min(now);
            cold.fresh_until = cold.fresh_until.min(now);
        }
        if verdict == Verdict::Gone {
            return self.take(id);
        }
        let deadlines = Deadlines { fresh_until: cold.fresh_until, stale_until: cold.stale_until };
        if deadlines.at(now).is_none() {
            self.expirations += 1;
            return self.take(id);
        }
        None
    }

    pub(crate) fn entry(&self, id: Id, now: Time) -> Option<Entry> {
        let (slot, cold) = (self.slots.hot(id), self.slots.cold(id));
        let deadlines = self.deadlines(id);
        Some(Entry {
            value: slot.value.clone()?,
            left: deadlines.left(now),
            stale_for: now - cold.fresh_until.min(now),
            age: now - cold.stored,
            tier: Tier::L1,
            origin: cold.origin,
        })
    }

    pub(crate) fn deadlines(&self, id: Id) -> Deadlines {
        let cold = self.slots.cold(id);
        Deadlines { fresh_until: cold.fresh_until, stale_until: cold.stale_until }
    }

    pub(crate) fn is_fresh(&self, id: Id, now: Time) -> bool {
        self.deadlines(id).at(now) == Some(Freshness::Fresh)
    }

    pub(crate) fn set_deadlines(&mut self, id: Id, deadlines: Deadlines) {
        let (slot, cold) = self.slots.both_mut(id);
        // A glance that ended with the freshness still does; one that ended earlier is not prolonged.
        let with_freshness = slot.glance_until == cold.fresh_until;
        slot.glance_until = match with_freshness {
            true => deadlines.fresh_until,
            false => slot.glance_until.min(deadlines.fresh_until),
        };
        cold.fresh_until = deadlines.fresh_until;
        cold.stale_until = deadlines.stale_until;
        self.earliest = self.earliest.min(deadlines.stale_until);
    }

    pub(crate) fn value(&self, id: Id) -> Option<&Value> {
        self.slots.hot(id).value.as_ref()
    }

    pub(crate) fn replace_value(&mut self, id: Id, value: Value) -> Option<Value> {
        self.slots.hot_mut(id).value.replace(value)
    }

    /// Replaces the entry of `key`, if there is one, in its place.
    pub(crate) fn replace(&mut self, hash: u64, key: &[u8], stored: Stored) -> Result<Option<Value>, Stored> {
        let Some(id) = self.find(hash, key) else { return Err(stored) };
        self.earliest = self.earliest.min(stored.deadlines.stale_until);
        Ok(self.slots.replace(id, stored))
    }

    /// Adds an entry for `key`, of which there is none.
    pub(crate) fn insert(&mut self, hash: u64, key: &[u8], stored: Stored) {
        self.earliest = self.earliest.min(stored.deadlines.stale_until);
        let id = self.slots.insert(hash, key, stored);
        let slots = &self.slots;
        self.index.insert_unique(hash, id, |id| slots.cold(*id).hash);
        self.policy.insert(id, hash);
    }

    /// Evicts one entry, if there is any.
    pub(crate) fn evict(&mut self) -> Option<Value> {
        let Self { slots, policy, .. } = self;
        // The policy changes marks and asks for hashes; the latter stand apart.
        let (hot, cold) = slots.split();
        let id = policy.evict(hot, |id| cold[id as usize].hash)?;
        self.evictions += 1;
        self.unindex(id);
        self.slots.free(id)
    }

    /// Takes the entry out, for whatever reason but eviction.
    fn take(&mut self, id: Id) -> Option<Value> {
        self.policy.remove(id);
        self.unindex(id);
        self.slots.free(id)
    }

    fn unindex(&mut self, id: Id) {
        let hash = self.slots.cold(id).hash;
        if let Ok(entry) = self.index.find_entry(hash, |other| *other == id) {
            entry.remove();
        }
    }

    pub(crate) fn remove(&mut self, id: Id) -> Option<Value> {
        self.take(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Everything out of it, but for the fences and the counts.
    pub(crate) fn clear(&mut self) -> impl Sized + use<P> {
        self.earliest = Time::MAX;
        self.policy = P::default();
        (std::mem::take(&mut self.index), std::mem::take(&mut self.slots))
    }

    /// Holds every entry against the marks and the clock, if there may be anything to find; what went, goes to
    /// `gone`.
    pub(crate) fn sweep(&mut self, marks: &Marks, sweep: &Sweep, now: Time, gone: &mut Vec<Value>) {
        if now < self.earliest && !sweep.due {
            return;
        }
        self.earliest = Time::MAX;
        for id in 0..self.slots.end() {
            if self.slots.hot(id).value.is_none() {
                continue;
            }
            gone.extend(self.judge(id, marks, now));
            if self.slots.hot(id).value.is_some() {
                debug_assert!(self.slots.hot(id).checked >= sweep.latest);
                self.earliest = self.earliest.min(self.slots.cold(id).stale_until);
            }
        }
    }
}
