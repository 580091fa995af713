//! What is there, and until when.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub(super) type Name = Rc<[u8]>;

/// What stands under a name.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Text(Vec<u8>),
    /// Values by field.
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
    /// Members with their scores, in the order of both.
    Sorted(Vec<(f64, Vec<u8>)>),
}

#[derive(Clone, Debug)]
struct Entry {
    data: Data,
    end: Option<u64>,
    /// Where a scan comes by.
    place: u64,
}

/// Names, and all that is asked of them, in an order that does not depend on when they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyspace {
    entries: BTreeMap<Name, Entry>,
    ends: BTreeSet<(u64, Name)>,
    /// Scans go by a hash, as in Redis: what comes and goes meanwhile does not move what stays.
    places: BTreeSet<(u64, Name)>,
    salt: u64,
}

impl Keyspace {
    pub(super) fn new(salt: u64) -> Self {
        Self { salt, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What it takes up, roughly as Redis counts.
    pub(super) fn bytes(&self) -> usize {
        self.entries.iter().map(|(name, entry)| 64 + name.len() + entry.data.bytes()).sum()
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<&Data> {
        self.entries.get(name).map(|entry| &entry.data)
    }

    pub(super) fn get_mut(&mut self, name: &[u8]) -> Option<&mut Data> {
        self.entries.get_mut(name).map(|entry| &mut entry.data)
    }

    /// When a name that is there expires.
    pub(super) fn end(&self, name: &[u8]) -> Option<u64> {
        self.entries.get(name)?.end
    }

    /// Whether its end is over; in the millisecond of its end it is not.
    pub(super) fn has_expired(&self, name: &[u8], now: u64) -> bool {
        self.end(name).is_some_and(|end| end < now)
    }

    /// In place of what is there; its end stays.
    pub(super) fn put(&mut self, name: &[u8], data: Data) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.data = data;
            return;
        }
        let (place, name) = (self.place(name), Name::from(name));
        self.places.insert((place, name.clone()));
        self.entries.insert(name, Entry { data, end: None, place });
    }

    /// Gives what is there another end, or none.
    pub(super) fn set_end(&mut self, name: &[u8], end: Option<u64>) {
        let Some((name, entry)) = self.entries.get_key_value(name) else { return };
        if let Some(before) = entry.end {
            self.ends.remove(&(before, name.clone()));
        }
        let name = name.clone();
        if let Some(entry) = self.entries.get_mut(&name) {
            entry.end = end;
        }
        if let Some(end) = end {
            self.ends.insert((end, name));
        }
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, name: &[u8]) -> bool {
        let Some((name, entry)) = self.entries.remove_entry(name) else { return false };
        self.places.remove(&(entry.place, name.clone()));
        if let Some(end) = entry.end {
            self.ends.remove(&(end, name));
        }
        true
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.salt);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.entries.keys()
    }

    pub(super) fn first_end(&self) -> Option<u64> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// Removes one that has expired.
    pub(super) fn pop_expired(&mut self, now: u64) -> Option<Name> {
        let name = self.ends.first().filter(|(end, _)| *end < now)?.1.clone();
        self.remove(&name);
        Some(name)
    }

    /// The names from a place on, some at a time, and the place to go on from: zero at the end.
    pub(super) fn page(&self, from: u64, many: usize) -> (u64, Vec<Name>) {
        let mut page: Vec<Name> = Vec::new();
        let mut last = None;
        for (place, name) in self.places.range((from, Name::default())..) {
            // Those of one place go together.
            if page.len() >= many && last != Some(*place) {
                return (*place, page);
            }
            page.push(name.clone());
            last = Some(*place);
        }
        (0, page)
    }

    /// FNV-1a with salt, shuffled; never zero, where scans begin and end.
    fn place(&self, name: &[u8]) -> u64 {
        let hash = name.iter().fold(self.salt ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 8 | 1
    }
}

impl Data {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Hash(fields) => fields.iter().map(|(field, value)| 16 + field.len() + value.len()).sum(),
            Self::Sorted(members) => members.iter().map(|(_, member)| 16 + member.len()).sum(),
        }
    }
}
