//! The flights of one cache, by key.

use std::sync::Arc;

use super::{Flight, Follow, Lead, ambient};
use crate::clock::Clock;
use crate::pattern::Pattern;
use crate::runtime;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{DashMap, Entry, Mutex, thread};
use crate::target::Target;

/// Where a caller finds itself when it wants a key loaded.
pub(crate) enum Seat {
    /// It loads, and others may follow.
    Lead(Lead),
    /// Somebody else loads.
    Follow(Follow),
    /// It loads for itself: joining would wait for itself, there are too many flights, or it is one of the few
    /// who try again beside the leader.
    Alone(Option<Beside>),
}

/// Who wants to sit down.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    /// It would hold its thread while it waits.
    pub(crate) blocking: bool,
    /// It has followed a load that came to nothing it could use.
    pub(crate) retrying: bool,
    /// A load that holds a place among those that may run waits for it, or may need its thread: it must not wait for one
    /// that waits for a place.
    pub(crate) capped: bool,
    /// Its load waits for a place to run in.
    pub(crate) queues: bool,
    /// The version that it wants.
    pub(crate) version: u32,
}

/// How many may load one key at once after a load of it has failed, in place of the one.
const FEW: usize = 8;

/// One of the few who load beside a leader; makes way for the next when it is done.
pub(crate) struct Beside(Arc<Flight>);

impl Beside {
    fn of(flight: &Arc<Flight>) -> Option<Self> {
        let beside = Self(flight.clone());
        // Counts itself down when dropped, here as well.
        (flight.beside.fetch_add(1, Ordering::Relaxed) < FEW - 1).then_some(beside)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.beside.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The table of flights of one cache; two caches never share one.
pub(crate) struct Flights {
    table: DashMap<Box<str>, Arc<Flight>>,
    /// No fewer than there are: counted before one is put in, and after one is taken out. To ask the table would lock
    /// every part of it. Sequentially consistent: who finds none has written before any that comes begins to load.
    count: AtomicUsize,
    /// How many tags were invalidated while there were flights.
    struck: AtomicU64,
    capacity: usize,
    clock: Clock,
    /// Held while a wait between flights is checked and recorded, so that two cannot close a circle at once.
    waits: Mutex<()>,
}

impl Flights {
    pub(crate) fn new(capacity: usize, clock: Clock) -> Self {
        let (count, struck) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { table: DashMap::default(), count, struck, capacity, clock, waits: Mutex::new(()) }
    }

    /// Joins the flight of `key`, or begins one.
    pub(crate) fn seat(self: &Arc<Self>, key: &str, tags: &[Box<str>], caller: Caller) -> Seat {
        if let Some(flight) = self.table.get(key).map(|flight| flight.clone()) {
            if !flight.has_landed() {
                return self.join(flight, caller);
            }
            // Given up by its followers, while its leader still holds it.
            self.remove(&flight);
        }
        if self.len() >= self.capacity {
            return Seat::Alone(None);
        }
        let flight = match self.table.entry(key.into()) {
            Entry::Occupied(flight) => {
                let flight = flight.get().clone();
                return self.join(flight, caller);
            }
            Entry::Vacant(place) => {
                self.count.fetch_add(1, Ordering::SeqCst);
                place.insert(Arc::new(Flight::new(key, tags, caller, self.struck()))).clone()
            }
        };
        Seat::Lead(Lead { flights: self.clone(), flight })
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    pub(super) fn struck(&self) -> u64 {
        self.struck.load(Ordering::SeqCst)
    }

    fn join(&self, flight: Arc<Flight>, caller: Caller) -> Seat {
        if caller.version != flight.version || caller.capped && !flight.started.load(Ordering::SeqCst) {
            return Seat::Alone(None);
        }
        if caller.blocking && !flight.blocking && needs_this_thread(&flight) {
            return Seat::Alone(None);
        }
        if caller.retrying
            && let Some(beside) = Beside::of(&flight)
        {
            return Seat::Alone(Some(beside));
        }
        let mine = ambient::flights();
        if !mine.is_empty() {
            let _checked_and_recorded = self.waits.lock();
            if ambient::closes_a_circle(&mine, &flight) {
                return Seat::Alone(None);
            }
            ambient::wait_for(&mine, &flight);
        }
        Seat::Follow(Follow::new(flight, mine, self.clock.clone()))
    }

    pub(super) fn remove(&self, flight: &Arc<Flight>) {
        let removed = self.table.remove_if(&flight.key, |_, other| Arc::ptr_eq(flight, other));
        self.left(removed.is_some().into());
    }

    fn left(&self, flights: usize) {
        if flights > 0 {
            self.count.fetch_sub(flights, Ordering::SeqCst);
        }
    }

    fn remove_where(&self, covered: impl Fn(&str, &Flight) -> bool) {
        let mut removed = 0;
        self.table.retain(|key, flight| {
            let covered = covered(key, flight);
            removed += usize::from(covered);
            !covered
        });
        self.left(removed);
    }

    /// From here on nobody joins a flight that `target` covers.
    pub(crate) fn detach(&self, target: Target<'_>) {
        if self.len() == 0 {
            return;
        }
        match target {
            Target::Key(key) => self.left(self.table.remove(key).is_some().into()),
            Target::Tag(tag) => {
                // Counted first: a flight that names the tag too late to be met here sees that there was one.
                self.struck.fetch_add(1, Ordering::SeqCst);
                self.remove_where(|_, flight| flight.bears(tag));
            }
            Target::Pattern(pattern) => {
                let pattern = Pattern::new(pattern).ok();
                self.remove_where(|key, _| {
                    pattern.as_ref().is_none_or(|pattern| pattern.matches(key.as_bytes()))
                });
            }
            Target::All => self.remove_where(|_, _| true),
        }
    }
}

/// Whether an async leader cannot go on while this thread is held.
fn needs_this_thread(flight: &Flight) -> bool {
    let thread = flight.state.lock().thread;
    thread.is_none_or(|thread| thread == thread::current().id()) || runtime::inside_a_runtime()
}
