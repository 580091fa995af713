//! The fences of the loads in flight, by key: what a write of the key voids.

use hashbrown::HashTable;

/// The loads in flight of one key. Two keys of one 64-bit hash share it, and then void each other's fences too:
/// a value is loaded once more, never a wrong one kept.
struct KeyFence {
    hash: u64,
    loads: u32,
    /// Those that may still publish began at this order or later; `u64::MAX`: there is none.
    oldest: u64,
    /// Leases after the first number began at the second or later: what `oldest` becomes when those before are void.
    /// So it advances under loads that overlap without end, at the cost of one pair.
    later: Option<(u64, u64)>,
    /// Leases up to this one are void, and up to that one good for a stale value only.
    voided: u64,
    staled: u64,
}

impl KeyFence {
    fn began(&mut self, lease: u64, order: u64) {
        self.loads += 1;
        if self.oldest == u64::MAX {
            self.oldest = order;
        } else if self.later.is_none() {
            self.later = Some((lease - 1, order));
        }
    }

    /// The leases up to `lease` are void, of `newest` handed out.
    fn void(&mut self, lease: u64, newest: u64) {
        self.voided = self.voided.max(lease);
        if self.voided >= newest {
            (self.oldest, self.later) = (u64::MAX, None);
        } else if let Some((_, order)) = self.later.take_if(|(before, _)| *before <= lease) {
            self.oldest = order;
        }
    }
}

/// What a fence is still good for, if it is good for anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Held {
    /// Everything.
    Holds,
    /// The value may be stored, as stale.
    StaleOnly,
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
        let lease = self.leases;
        match self.of(hash) {
            Some(fence) => fence.began(lease, order),
            None => {
                let fence = KeyFence { hash, loads: 1, oldest: order, later: None, voided: 0, staled: 0 };
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
            fence.void(leases, leases);
        }
    }

    /// The key was marked stale: loads in flight may publish stale values only.
    pub(crate) fn mark_stale(&mut self, hash: u64) {
        let leases = self.leases;
        if let Some(fence) = self.of(hash) {
            fence.staled = leases;
        }
    }

    /// What a lease is good for; and if `publishes` says that its load does publish, then neither it nor one that began
    /// before it publishes again.
    pub(crate) fn publish<R>(
        &mut self,
        (hash, lease): (u64, u64),
        publishes: impl FnOnce(Held) -> Option<R>,
    ) -> Option<R> {
        let newest = self.leases;
        let fence = self.of(hash).filter(|fence| lease > fence.voided)?;
        let held = if lease > fence.staled { Held::Holds } else { Held::StaleOnly };
        let published = publishes(held)?;
        fence.void(lease, newest);
        Some(published)
    }

    /// Gives back what many loads at once have left behind.
    pub(crate) fn shrink(&mut self) {
        if self.by_key.capacity() > 64 + 4 * self.by_key.len() {
            self.by_key.shrink_to_fit(|fence| fence.hash);
        }
    }

    /// The order at which the oldest load in flight began that may still publish.
    pub(crate) fn oldest(&self) -> u64 {
        self.by_key.iter().map(|fence| fence.oldest).min().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the lease is good for, which does not publish.
    fn holds(fences: &mut Fences, lease: u64) -> Option<Held> {
        let mut good_for = None;
        fences.publish((7, lease), |held| {
            good_for = Some(held);
            None::<()>
        });
        good_for
    }

    #[test]
    fn the_oldest_advances_under_loads_that_overlap_without_end() {
        let mut fences = Fences::default();
        let mut before = fences.take(7, 1);
        for order in 2..1_000 {
            let lease = fences.take(7, order);
            assert!((order - 2..order).contains(&fences.oldest()), "{} at {order}", fences.oldest());
            fences.publish((7, before), Some);
            fences.release(7);
            assert_eq!(holds(&mut fences, lease), Some(Held::Holds));
            before = lease;
        }
        fences.void(7);
        assert_eq!(fences.oldest(), u64::MAX, "it may not publish");
        fences.take(7, 2_000);
        assert_eq!(fences.oldest(), 2_000);
        (0..2).for_each(|_| fences.release(7));
        assert!(fences.by_key.is_empty());
    }

    #[test]
    fn what_many_loads_took_is_given_back() {
        let mut fences = Fences::default();
        for hash in 0..10_000 {
            fences.take(hash, 1);
        }
        (1..10_000).for_each(|hash| fences.release(hash));
        fences.shrink();
        assert!(fences.by_key.len() == 1 && fences.by_key.capacity() < 64);
        assert_eq!(fences.oldest(), 1);
    }

    #[test]
    fn no_load_that_may_publish_began_before_the_oldest() {
        // A walk over takes, publications and voids, by a fixed rule that meets all of them.
        let (mut fences, mut live) = (Fences::default(), Vec::new());
        let mut random = 1_u64;
        for order in 1..10_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            match random >> 60 {
                0..8 => live.push((fences.take(7, order), order)),
                8 => fences.void(7),
                _ if !live.is_empty() => {
                    let (lease, _) = live.swap_remove((random >> 32) as usize % live.len());
                    if random >> 60 < 12 {
                        fences.publish((7, lease), Some);
                    }
                    fences.release(7);
                }
                _ => {}
            }
            for (lease, began) in &live {
                assert!(holds(&mut fences, *lease).is_none() || fences.oldest() <= *began);
            }
        }
    }
}
