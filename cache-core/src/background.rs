//! The places for loads in the background: how many there are, and how many are taken.

use std::sync::Arc;
use std::task::Waker;

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The background loads of one cache.
pub(crate) struct Background {
    taken: Arc<Taken>,
    limit: usize,
    closed: AtomicBool,
}

#[derive(Default)]
struct Taken {
    places: AtomicUsize,
    /// Who waits until none is taken.
    waiting: Mutex<Vec<Waker>>,
}

impl Background {
    pub(crate) fn new(limit: usize) -> Self {
        Self { taken: Arc::default(), limit, closed: AtomicBool::new(false) }
    }

    /// A place for one more background load; `None`: there are enough, or no more are wanted.
    pub(crate) fn place(&self) -> Option<Place> {
        let place = Place(self.taken.clone());
        // The place counts itself down when dropped, here as well. Whoever closes waits for this place, or has closed
        // before it is asked whether so.
        let free = place.0.places.fetch_add(1, Ordering::SeqCst) < self.limit;
        (free && !self.closed.load(Ordering::SeqCst)).then_some(place)
    }

    pub(crate) fn running(&self) -> usize {
        self.taken.places.load(Ordering::SeqCst)
    }

    /// From now on there are no places.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Whether none is taken; if one is, `waker` is woken when that changes.
    pub(crate) fn is_quiet(&self, waker: &Waker) -> bool {
        let mut waiting = self.taken.waiting.lock();
        waiting.retain(|other| !other.will_wake(waker));
        waiting.push(waker.clone());
        self.running() == 0
    }
}

/// One background load's place, until it is dropped.
pub(crate) struct Place(Arc<Taken>);

impl Drop for Place {
    fn drop(&mut self) {
        if self.0.places.fetch_sub(1, Ordering::SeqCst) == 1 {
            let waiting = std::mem::take(&mut *self.0.waiting.lock());
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}
