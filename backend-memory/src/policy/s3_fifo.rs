//! S3-FIFO (Yang, Zhang, Qiu, Yue, Vigfusson: "FIFO queues are all you need for cache eviction", SOSP 2023).
//!
//! New entries queue in *small*, a tenth of the whole. One that was read more than once by the time it reaches
//! the head moves to *main*; the others leave, and are remembered by hash in *ghost*: what comes back from there
//! goes to main at once. Main gives each entry as many further rounds as it was read, three at most.

use super::ghost::Ghost;
use super::list::{Links, List};
use super::{Id, Marks, Policy};

const SMALL: u8 = 0;
const MAIN: u8 = 1;
/// The mark counts reads up to this.
const MOST: u8 = 3;

/// See the module.
pub(crate) struct S3Fifo {
    links: Links,
    small: List,
    main: List,
    /// What left small last, as much as there are entries: with less, a loop a little larger than the store is never hit
    /// (measured: `hit_ratio` on the LIRS loop trace, room for half of it).
    ghost: Ghost,
}

impl Default for S3Fifo {
    fn default() -> Self {
        Self {
            links: Links::default(),
            small: List::new(SMALL),
            main: List::new(MAIN),
            ghost: Ghost::default(),
        }
    }
}

impl S3Fifo {
    /// The list that `id` is in, and the links.
    fn list_of(&mut self, id: Id) -> Option<(&mut List, &mut Links)> {
        match self.links.list_of(id)? {
            SMALL => Some((&mut self.small, &mut self.links)),
            MAIN => Some((&mut self.main, &mut self.links)),
            _ => None,
        }
    }
}

impl Policy for S3Fifo {
    #[inline]
    fn hit(&mut self, mark: &mut u8) {
        // A store only where something changes: a hot entry's line stays clean.
        if *mark < MOST {
            *mark += 1;
        }
    }

    fn insert(&mut self, id: Id, hash: u64, weight: u32) {
        self.links.weigh(id, weight);
        let most = self.small.len() + self.main.len() + 1;
        let list = if self.ghost.take(hash, most) { &mut self.main } else { &mut self.small };
        list.push_back(&mut self.links, id);
    }

    fn remove(&mut self, id: Id) {
        if let Some((list, links)) = self.list_of(id) {
            list.remove(links, id);
        }
    }

    fn reweigh(&mut self, id: Id, weight: u32) {
        if let Some((list, links)) = self.list_of(id) {
            list.reweigh(links, id, weight);
        }
    }

    fn moved(&mut self, from: Id, to: Id) {
        if let Some((list, links)) = self.list_of(from) {
            list.moved(links, from, to);
        }
    }

    fn shrink(&mut self, end: Id) {
        self.links.shrink(end);
        self.ghost.shrink(end as usize);
    }

    fn evict(&mut self, slots: &mut impl Marks, hash_of: impl Fn(Id) -> u64) -> Option<Id> {
        loop {
            let all = self.small.len() + self.main.len();
            let weight = self.small.weight() + self.main.weight();
            if self.main.len() == 0 || self.small.weight() * 10 >= weight {
                let id = self.small.pop_front(&mut self.links)?;
                let mark = slots.mark(id);
                if *mark <= 1 {
                    self.ghost.remember(hash_of(id), all);
                    return Some(id);
                }
                *mark = 0;
                self.main.push_back(&mut self.links, id);
            } else {
                let id = self.main.pop_front(&mut self.links)?;
                let mark = slots.mark(id);
                if *mark == 0 {
                    return Some(id);
                }
                *mark -= 1;
                self.main.push_back(&mut self.links, id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Slots(Vec<u8>);

    impl Marks for Slots {
        fn mark(&mut self, id: Id) -> &mut u8 {
            &mut self.0[id as usize]
        }
    }

    fn filled(n: Id) -> (S3Fifo, Slots) {
        let mut policy = S3Fifo::default();
        (0..n).for_each(|id| policy.insert(id, u64::from(id), 1));
        (policy, Slots(vec![0; n as usize]))
    }

    #[test]
    fn what_is_never_read_leaves_in_the_order_it_came() {
        let (mut policy, mut slots) = filled(5);
        for id in 0..5 {
            assert_eq!(policy.evict(&mut slots, u64::from), Some(id));
        }
        assert_eq!(policy.evict(&mut slots, u64::from), None);
    }

    #[test]
    fn what_is_read_twice_outlives_a_scan() {
        let (mut policy, mut slots) = filled(10);
        for _ in 0..2 {
            policy.hit(slots.mark(3));
        }
        slots.0.resize(1000, 0);
        let mut evicted = Vec::new();
        for id in 10..500 {
            evicted.extend(policy.evict(&mut slots, u64::from));
            policy.insert(id, u64::from(id), 1);
        }
        assert!(!evicted.contains(&3) && evicted.len() == 490);
    }

    #[test]
    fn what_comes_back_soon_goes_to_main() {
        let (mut policy, mut slots) = filled(10);
        assert_eq!(policy.evict(&mut slots, u64::from), Some(0));
        policy.insert(0, 0, 1);
        assert_eq!(policy.links.list_of(0), Some(MAIN));
        policy.remove(0);
        policy.remove(1);
        assert_eq!((policy.small.len(), policy.main.len()), (8, 0));
    }

    #[test]
    fn small_is_a_tenth_of_the_weight() {
        let mut policy = S3Fifo::default();
        let mut slots = Slots(vec![0; 200]);
        (0..100).for_each(|id| policy.insert(id, u64::from(id), 1));
        for id in 0..90 {
            *slots.mark(id) = 2;
        }
        // The 90 that were read move to main, and the first one that was not leaves.
        assert_eq!(policy.evict(&mut slots, u64::from), Some(90));
        assert_eq!((policy.small.weight(), policy.main.weight()), (9, 90));
        policy.reweigh(91, 100);
        assert_eq!(policy.small.weight(), 108);
        assert_eq!(policy.evict(&mut slots, u64::from), Some(91), "small weighs more than its tenth");
        assert_eq!(policy.evict(&mut slots, u64::from), Some(0), "and now less");
    }

    #[test]
    fn an_entry_that_moved_keeps_its_turn() {
        let (mut policy, mut slots) = filled(5);
        policy.remove(1);
        policy.moved(4, 1);
        policy.shrink(4);
        for id in [0, 2, 3, 1] {
            assert_eq!(policy.evict(&mut slots, u64::from), Some(id));
        }
        assert_eq!(policy.evict(&mut slots, u64::from), None);
    }
}
