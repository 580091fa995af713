//! Invalidations that Redis has not yet got (G4): in order, bounded, delivered before the cache is trusted again.

use std::collections::VecDeque;

use cache_core::{Named, Strength};

/// What is to be done, and how hard.
pub(crate) type Strike = (Named, Strength);

#[derive(Debug)]
pub(crate) struct Queue {
    /// With the number of each.
    waiting: VecDeque<(u64, Strike)>,
    most: usize,
    pushed: u64,
    /// The number of the one that is on its way: what is called now comes after it, though it be the same.
    on_its_way: Option<u64>,
}

impl Queue {
    pub(crate) fn new(most: usize) -> Self {
        Self { waiting: VecDeque::new(), most, pushed: 0, on_its_way: None }
    }

    /// At its end. Where there is no room, everything is invalidated in the place of all that waits.
    pub(crate) fn push(&mut self, strike: Strike) {
        let all = (Named::All, Strength::Remove);
        let last = self.waiting.back().filter(|(number, _)| Some(*number) != self.on_its_way);
        if last.is_some_and(|(_, last)| *last == strike || *last == all) {
            return;
        }
        let strike = if strike == all || self.waiting.len() >= self.most {
            self.waiting.clear();
            all
        } else {
            strike
        };
        self.pushed += 1;
        self.waiting.push_back((self.pushed, strike));
    }

    /// If anything waits, everything is invalidated in its place.
    pub(crate) fn give_way(&mut self) {
        if !self.waiting.is_empty() {
            self.push((Named::All, Strength::Remove));
        }
    }

    /// The first, which stays until it has been delivered.
    pub(crate) fn first(&mut self) -> Option<(u64, Strike)> {
        let first = self.waiting.front().cloned();
        self.on_its_way = first.as_ref().map(|(number, _)| *number);
        first
    }

    /// It was delivered. (It may have given way to "everything" meanwhile.)
    pub(crate) fn delivered(&mut self, number: u64) {
        if self.waiting.front().is_some_and(|(first, _)| *first == number) {
            self.waiting.pop_front();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> Strike {
        (Named::Key(key.into()), Strength::Remove)
    }

    fn all() -> Strike {
        (Named::All, Strength::Remove)
    }

    #[test]
    fn keeps_the_order_and_forgets_nothing() {
        let mut queue = Queue::new(2);
        queue.push(key("a"));
        queue.push(key("a"));
        queue.push((Named::Tag("t".into()), Strength::MarkStale));
        let (number, first) = queue.first().expect("there");
        assert_eq!((queue.len(), first), (2, key("a")));
        queue.delivered(number);
        assert_eq!(queue.first().map(|(_, it)| it), Some((Named::Tag("t".into()), Strength::MarkStale)));
    }

    #[test]
    fn what_overflows_becomes_everything() {
        let mut queue = Queue::new(2);
        for name in ["a", "b", "c", "d"] {
            queue.push(key(name));
        }
        assert_eq!((queue.len(), queue.first().map(|(_, it)| it)), (1, Some(all())));
    }

    #[test]
    fn what_takes_too_long_becomes_everything() {
        let mut queue = Queue::new(9);
        queue.give_way();
        assert_eq!(queue.len(), 0);
        for name in ["a", "b", "c"] {
            queue.push(key(name));
        }
        let (number, _) = queue.first().expect("there");
        queue.give_way();
        queue.delivered(number);
        assert_eq!((queue.len(), queue.first().map(|(_, it)| it)), (1, Some(all())));
    }

    #[test]
    fn what_is_called_during_a_delivery_is_delivered_after_it() {
        for strike in [key("a"), all()] {
            let mut queue = Queue::new(2);
            queue.push(strike.clone());
            let (number, _) = queue.first().expect("there");
            queue.push(strike.clone());
            queue.delivered(number);
            assert_eq!(queue.first().map(|(_, it)| it), Some(strike));
        }
    }
}
