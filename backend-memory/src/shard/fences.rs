//! The fences of the loads in flight, by key: what a write of the key voids.

use hashbrown::HashTable;

/// The loads in flight of one key. Two keys of one 64-bit hash share it, and then void each other's fences too:
/// a value is loaded once more, never a wrong one kept.
struct KeyFence {
    hash: u64,
    loads: u32,
    /// The order of the store when the first of them began.
    oldest: u64,
    /// Leases up to this one are void, and up to that one good for a stale value only.
    voided: u64,
    staled: u64,
}

/// What a fence is still good for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Held {
    /// Everything.
    Holds,
    /// The value may be stored, as stale.
    StaleOnly,
    /// Nothing.
    Void,
}

#[derive(Default)]
pub(crate) struct Fences {
    by_key: HashTable<KeyFence>,
    leases: u64,
}

impl Fences {
    fn of(&mut self, hash: u64) -> Option<&mut KeyFence> {
        self.by_key.find_mut(hash, |fence| fence.hash == hash)
    }

    /// A lease for a load that begins at `order`.
    pub(crate) fn take(&mut self, hash: u64, order: u64) -> u64 {
        self.leases += 1;
        match self.of(hash) {
            Some(fence) => fence.loads += 1,
            None => {
                let fence = KeyFence { hash, loads: 1, oldest: order, voided: 0, staled: 0 };
                self.by_key.insert_unique(hash, fence, |fence| fence.hash);
            }
        }
        self.leases
    }

    pub(crate) fn release(&mut self, hash: u64) {
        if let Ok(mut entry) = self.by_key.find_entry(hash, |fence| fence.hash == hash) {
            entry.get_mut().loads -= 1;
            if entry.get().loads == 0 {
                entry.remove();
            }
        }
    }

    /// A write of the key: no load in flight may publish.
    #[inline]
    pub(crate) fn void(&mut self, hash: u64) {
        let leases = self.leases;
        if !self.by_key.is_empty()
            && let Some(fence) = self.of(hash)
        {
            fence.voided = leases;
        }
    }

    /// The key was marked stale: loads in flight may publish stale values only.
    pub(crate) fn mark_stale(&mut self, hash: u64) {
        let leases = self.leases;
        if let Some(fence) = self.of(hash) {
            fence.staled = leases;
        }
    }

    pub(crate) fn holds(&mut self, hash: u64, lease: u64) -> Held {
        match self.of(hash) {
            Some(fence) if lease > fence.voided && lease > fence.staled => Held::Holds,
            Some(fence) if lease > fence.voided => Held::StaleOnly,
            _ => Held::Void,
        }
    }

    /// A load has published: neither it nor one that began before it publishes again.
    pub(crate) fn published(&mut self, hash: u64, lease: u64) {
        if let Some(fence) = self.of(hash) {
            fence.voided = fence.voided.max(lease);
        }
    }

    /// The order at which the oldest load in flight began.
    pub(crate) fn oldest(&self) -> u64 {
        self.by_key.iter().map(|fence| fence.oldest).min().unwrap_or(u64::MAX)
    }
}
