//! The memory of one process, as far as one key and its fences go.
//!
//! What `backend-memory` promises and its own models (under shuttle) hold it to; the protocol builds on nothing else of it.

use std::mem;

/// What a copy is put there by. Later ones are greater.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Fence(u8);

/// A version, and the fence by which it came.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Held {
    version: u8,
    by: Fence,
}

/// See the module.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Near {
    held: Option<Held>,
    last: u8,
    /// Fences up to this one are void.
    struck: u8,
}

impl Near {
    /// The copy, by its version.
    pub fn copy(&self) -> Option<u8> {
        self.held.map(|held| held.version)
    }

    /// Taken before the copy is asked for.
    pub fn fence(&mut self) -> Fence {
        self.last += 1;
        Fence(self.last)
    }

    /// A strike voids every fence there is, also where nothing is held.
    pub fn strike(&mut self) {
        self.held = None;
        self.struck = self.last;
    }

    /// What a store without fences does: it drops what it holds, and knows nothing of what is on its way.
    pub fn forget(&mut self) {
        self.held = None;
    }

    /// Whether it is kept. A fence puts something there once, and nothing over what a later one has put there.
    pub fn put(&mut self, by: Fence, version: u8) -> bool {
        let is_good = by.0 > self.struck && self.held.is_none_or(|held| held.by.0 < by.0);
        if is_good {
            self.held = Some(Held { version, by });
        }
        is_good
    }

    /// Numbers the fences in use anew. Only which is later counts, so states that differ in nothing else are one.
    pub fn tidy<'f>(&'f mut self, fences: impl IntoIterator<Item = &'f mut Fence>) {
        let struck = mem::take(&mut self.struck);
        let own = self.held.as_mut().map(|held| &mut held.by);
        let fences: Vec<&mut Fence> = fences.into_iter().chain(own).collect();
        let mut good: Vec<u8> = fences.iter().map(|fence| fence.0).filter(|fence| *fence > struck).collect();
        good.sort_unstable();
        good.dedup();
        self.last = good.len() as u8;
        for fence in fences {
            // A void one is none that counts from one.
            fence.0 = good.iter().position(|good| *good == fence.0).map_or(0, |at| at as u8 + 1);
        }
    }
}
