//! Invalidations that come faster than Redis takes them become one, of everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// One gathers at a time, those that come while it waits to be begun. Nothing is read before it is over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flood(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Whether one has been submitted, and not begun: it comes after whatever is called now.
    gathers: AtomicBool,
    /// How many are not over.
    on: AtomicUsize,
}

/// One, from when it is submitted until it is over.
#[derive(Debug)]
pub(crate) struct Wave(Arc<State>);

impl Flood {
    /// One more invalidation becomes part of it. The first is given what is to be submitted for all.
    pub(crate) fn join(&self) -> Option<Wave> {
        // First of all: whoever finds that one gathers must not read any more.
        self.0.on.fetch_add(1, Ordering::SeqCst);
        if self.0.gathers.swap(true, Ordering::SeqCst) {
            self.0.on.fetch_sub(1, Ordering::SeqCst);
            return None;
        }
        Some(Wave(self.0.clone()))
    }

    /// Whether what was invalidated may still stand in Redis.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.0.on.load(Ordering::SeqCst) > 0
    }
}

impl Wave {
    /// What is called from now on comes after it.
    pub(crate) fn begins(&self) {
        self.0.gathers.store(false, Ordering::SeqCst);
    }
}

impl Drop for Wave {
    fn drop(&mut self) {
        self.0.on.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_stands_for_all_that_come_before_it_begins() {
        let flood = Flood::default();
        assert!(!flood.is_on());
        let first = flood.join().expect("the first is to be submitted");
        assert!(flood.join().is_none() && flood.join().is_none() && flood.is_on());
        first.begins();
        let second = flood.join().expect("the first has begun, and does not cover it");
        assert!(flood.join().is_none());
        drop(first);
        assert!(flood.is_on());
        second.begins();
        drop(second);
        assert!(!flood.is_on() && flood.join().is_some());
    }
}
