//! What a shard does when it is swept: in slices, so that nobody waits for its lock for long.

use cache_core::Time;

use super::Shard;
use crate::departure::Departed;
use crate::marks::{Marks, Sweep};
use crate::policy::{Id, Policy};

/// So many slots are swept under one lock: to throw an entry out takes up to a microsecond.
const SLICE: usize = 128;
/// So many entries are moved under one lock.
const MOVES: usize = 512;

impl<P: Policy> Shard<P> {
    /// Sweeps the slots from `from` on, a slice of them: holds the entries against the marks and the clock. Where to
    /// go on; `None`: all is done. What is stored meanwhile is younger than the sweep, wherever it stands.
    pub(crate) fn sweep(
        &mut self,
        from: Id,
        (marks, sweep, now): (&Marks, &Sweep, Time),
        out: &mut Departed,
    ) -> Option<Id> {
        if from == 0 {
            if now < self.earliest && !sweep.due {
                return None;
            }
            self.earliest = Time::MAX;
        }
        let to = self.slots.end().min(from.saturating_add(SLICE as Id));
        for id in from..to {
            let end = self.slots.end_of(id);
            // Without new marks, the time is all there is to look at.
            let stays = if sweep.due {
                self.slots.is_used(id) && self.judge(id, marks, now, out)
            } else {
                now < end || self.judge(id, marks, now, out)
            };
            if stays {
                debug_assert!(!sweep.due || self.slots.hot(id).checked >= sweep.latest);
                self.earliest = self.earliest.min(end);
            }
        }
        (to < self.slots.end()).then_some(to)
    }

    /// Whether it was sparse when the last sweep ended, and still is: what was emptied and is filling again keeps its
    /// memory. (Given back and taken again at each invalidation of everything, tables move from one of the allocator's
    /// heaps to the next, and leave holes in all of them: `soak` sees the process grow.)
    pub(crate) fn stays_sparse(&mut self) -> bool {
        let sparse = self.slots.are_sparse();
        std::mem::replace(&mut self.sparse, sparse) && sparse
    }

    /// Gives back memory that nothing uses, as far as one slice goes; whether there is more to do.
    pub(crate) fn compact(&mut self) -> bool {
        if !self.slots.are_sparse() {
            return false;
        }
        let Self { index, slots, policy, .. } = self;
        let done = slots.compact(MOVES, |hash, from, to| {
            policy.moved(from, to);
            if let Some(id) = index.find_mut(hash, |id| *id == from) {
                *id = to;
            }
        });
        if done {
            policy.shrink(slots.end());
            index.shrink_to_fit(|id| slots.cold(*id).hash);
        }
        !done
    }

    #[cfg(test)]
    pub(crate) fn slots_kept(&self) -> usize {
        self.slots.kept()
    }

    /// How many tag marks its entries have let go of since the last time.
    pub(crate) fn take_released(&mut self) -> usize {
        self.slots.take_released()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;
    use std::time::Duration;

    use cache_core::{Deadlines, Lifetime, Origin, Value};
    use proptest::prelude::*;

    use super::*;
    use crate::departure::RemovalCause;
    use crate::policy::S3Fifo;
    use crate::shard::Stored;

    type Plain = HashMap<u64, (u64, u32)>;

    fn insert(shard: &mut Shard<S3Fifo>, key: u64, value: u64, ms: u64, weight: u32) {
        let duration = Duration::from_millis(ms);
        let deadlines = Deadlines::new(Time::ZERO, Lifetime { fresh: duration, total: duration });
        let stored = Stored {
            value: Value::new(Arc::new(value)),
            deadlines,
            glance_until: Time::MAX,
            at: Time::ZERO,
            born: 0,
            checked: 0,
            tags: Box::default(),
            origin: Origin::default(),
        };
        let name = key.to_string();
        let found = shard.find(key, name.as_bytes());
        shard.store((key, name.as_bytes()), found, stored, weight, &mut Departed::new(true));
    }

    fn sweep(shard: &mut Shard<S3Fifo>, now: u64) -> usize {
        let (marks, mut next, mut slices) = (Marks::default(), Some(0), 0);
        while let Some(from) = next {
            let now = (&marks, &marks.begin_sweep(), Time::from_millis(now));
            next = shard.sweep(from, now, &mut Departed::new(true));
            slices += 1;
        }
        slices
    }

    fn holds(shard: &Shard<S3Fifo>, plain: &Plain) {
        for (key, (value, weight)) in plain {
            let id = shard.find(*key, key.to_string().as_bytes()).expect("it is there");
            let held = shard.value(id).and_then(|held| held.as_any().downcast_ref::<u64>().copied());
            assert_eq!((held, shard.slots.hot(id).weight), (Some(*value), *weight));
        }
        let weight = plain.values().map(|(_, weight)| u64::from(*weight)).sum();
        assert_eq!(shard.held(), crate::budget::Room { entries: plain.len() as u64, weight });
    }

    #[test]
    fn what_expired_gives_back_slots_index_and_links() {
        let (mut shard, mut plain) = (Shard::<S3Fifo>::default(), Plain::new());
        for key in 0..20_000 {
            let stays = key % 200 == 7;
            insert(&mut shard, key, key, if stays { 10_000 } else { 100 }, 1);
            if stays {
                plain.insert(key, (key, 1));
            }
        }
        assert_eq!(sweep(&mut shard, 99), 1, "there is nothing to look for");
        assert_eq!(sweep(&mut shard, 100), 20_000_usize.div_ceil(SLICE));
        let mut steps = 0;
        while shard.compact() {
            steps += 1;
        }
        assert!(steps < 3 && !shard.slots.are_sparse() && shard.slots.end() == 100, "{steps}");
        assert!(shard.index.capacity() < 1_000, "{}", shard.index.capacity());
        holds(&shard, &plain);
        // In the order in which they came.
        for key in (7..20_000).step_by(200) {
            let mut out = Departed::new(true);
            assert!(shard.evict(&mut out) && shard.find(key, key.to_string().as_bytes()).is_none());
        }
        assert_eq!(sweep(&mut shard, 10_000), 1);
        assert!(shard.held() == crate::budget::Room::default());
    }

    #[test]
    fn what_is_emptied_and_filled_again_keeps_its_slots() {
        let mut shard = Shard::<S3Fifo>::default();
        let fill = |shard: &mut Shard<S3Fifo>| (0..2_000).for_each(|key| insert(shard, key, key, 100, 1));
        fill(&mut shard);
        let kept = shard.slots_kept();
        for _ in 0..3 {
            sweep(&mut shard, 100);
            assert!(!shard.stays_sparse(), "it has just been emptied");
            fill(&mut shard);
            assert!(!shard.stays_sparse() && shard.slots_kept() == kept, "it is full");
        }
        sweep(&mut shard, 100);
        assert!(!shard.stays_sparse() && shard.stays_sparse());
        while shard.compact() {}
        assert!(shard.slots_kept() <= 1, "{}", shard.slots_kept());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_moves_can_be_found(ops in prop::collection::vec((0..8_u8, 0..1_500_u64, 1..9_u32), 1..60)) {
            let (mut shard, mut plain) = (Shard::<S3Fifo>::default(), Plain::new());
            let marks = Marks::default();
            for (step, (op, key, weight)) in ops.into_iter().enumerate() {
                let mut out = Departed::new(true);
                match op {
                    // Many at a time, so that there is something to compact.
                    0..3 => for key in key..key + 700 {
                        insert(&mut shard, key, step as u64, 1_000, weight);
                        plain.insert(key, (step as u64, weight));
                    },
                    3..6 => for key in key..key + 900 {
                        let name = key.to_string();
                        let at = (key, name.as_bytes());
                        let id = shard.lookup(at, (&marks, Time::ZERO), false, &mut out);
                        prop_assert_eq!(id.is_some(), plain.remove(&key).is_some());
                        id.map(|id| shard.remove(id, RemovalCause::Deleted, &mut out));
                    },
                    _ => drop(shard.compact()),
                }
                holds(&shard, &plain);
            }
            while shard.compact() {}
            holds(&shard, &plain);
        }
    }
}
