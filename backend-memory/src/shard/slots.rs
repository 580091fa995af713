//! The entries of a shard, in slots that are used again. What a hit reads stands in one cache line; the rest apart.

use std::sync::Arc;

use cache_core::{Deadlines, Origin, Time, Value};

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
    pub(super) mark: u8,
    pub(super) tagged: bool,
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
    pub(super) stale_until: Time,
    pub(super) stored: Time,
    /// The order of the store when its value was stored, or began to load: tag marks younger than this cover it.
    pub(super) born: u64,
    pub(super) tags: Box<[Arc<TagMark>]>,
    pub(super) origin: Origin,
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
    fn split(self, hash: u64, name: Name) -> (Hot, Cold) {
        let hot = Hot {
            name,
            value: Some(self.value),
            glance_until: self.glance_until.min(self.deadlines.fresh_until),
            checked: self.checked,
            mark: 0,
            tagged: !self.tags.is_empty(),
        };
        let Deadlines { fresh_until, stale_until } = self.deadlines;
        let (stored, born, tags, origin) = (self.at, self.born, self.tags, self.origin);
        (hot, Cold { hash, fresh_until, stale_until, stored, born, tags, origin })
    }
}

#[derive(Default)]
pub(super) struct Slots {
    hot: Vec<Hot>,
    cold: Vec<Cold>,
    free: Vec<Id>,
}

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

    pub(super) fn both_mut(&mut self, id: Id) -> (&mut Hot, &mut Cold) {
        (&mut self.hot[id as usize], &mut self.cold[id as usize])
    }

    pub(super) fn split(&mut self) -> (&mut Vec<Hot>, &[Cold]) {
        (&mut self.hot, &self.cold)
    }

    /// One past the last slot, free ones included.
    pub(super) fn end(&self) -> Id {
        // A shard of 2³² entries would be a quarter of a terabyte.
        self.hot.len() as Id
    }

    pub(super) fn insert(&mut self, hash: u64, key: &[u8], stored: Stored) -> Id {
        let (hot, cold) = stored.split(hash, Name::new(key));
        match self.free.pop() {
            Some(id) => {
                self.hot[id as usize] = hot;
                self.cold[id as usize] = cold;
                id
            }
            None => {
                self.hot.push(hot);
                self.cold.push(cold);
                self.end() - 1
            }
        }
    }

    /// A new entry under the same name; the old value. Its mark stays: it is the key that was read.
    pub(super) fn replace(&mut self, id: Id, stored: Stored) -> Option<Value> {
        let at = id as usize;
        let name = std::mem::replace(&mut self.hot[at].name, Name::new(b""));
        let mark = self.hot[at].mark;
        let (mut hot, cold) = stored.split(self.cold[at].hash, name);
        hot.mark = mark;
        self.cold[at] = cold;
        std::mem::replace(&mut self.hot[at], hot).value
    }

    pub(super) fn free(&mut self, id: Id) -> Option<Value> {
        self.free.push(id);
        self.cold[id as usize].tags = Box::default();
        self.hot[id as usize].value.take()
    }
}

impl Marks for Vec<Hot> {
    fn mark(&mut self, id: Id) -> &mut u8 {
        &mut self[id as usize].mark
    }
}
