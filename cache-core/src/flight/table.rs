//! The flights of one cache, by key.

use std::sync::Arc;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use parking_lot::Mutex;

use super::{Flight, Follow, Lead, ambient};
use crate::clock::Clock;
use crate::pattern::Pattern;
use crate::runtime;
use crate::target::Target;

/// Where a caller finds itself when it wants a key loaded.
pub(crate) enum Seat {
    /// It loads, and others may follow.
    Lead(Lead),
    /// Somebody else loads.
    Follow(Follow),
    /// It loads for itself: joining would wait for itself, or there are too many flights.
    Alone,
}

/// The table of flights of one cache; two caches never share one.
pub(crate) struct Flights {
    table: DashMap<Box<str>, Arc<Flight>>,
    capacity: usize,
    clock: Clock,
    /// Held while a wait between flights is checked and recorded, so that two cannot close a circle at once.
    waits: Mutex<()>,
}

impl Flights {
    pub(crate) fn new(capacity: usize, clock: Clock) -> Self {
        Self { table: DashMap::new(), capacity, clock, waits: Mutex::new(()) }
    }

    /// Joins the flight of `key`, or begins one. `blocking`: the caller would hold its thread while it waits.
    pub(crate) fn seat(self: &Arc<Self>, key: &str, tags: &[Box<str>], blocking: bool) -> Seat {
        if let Some(flight) = self.table.get(key).map(|flight| flight.clone()) {
            if !flight.has_landed() {
                return self.join(flight, blocking);
            }
            // Given up by its followers, while its leader still holds it.
            self.remove(&flight);
        }
        if self.table.len() >= self.capacity {
            return Seat::Alone;
        }
        let flight = match self.table.entry(key.into()) {
            Entry::Occupied(flight) => {
                let flight = flight.get().clone();
                return self.join(flight, blocking);
            }
            Entry::Vacant(place) => place.insert(Arc::new(Flight::new(key, tags, blocking))).clone(),
        };
        Seat::Lead(Lead { flights: self.clone(), flight })
    }

    fn join(&self, flight: Arc<Flight>, blocking: bool) -> Seat {
        if blocking && !flight.blocking && needs_this_thread(&flight) {
            return Seat::Alone;
        }
        let mine = ambient::flights();
        if !mine.is_empty() {
            let _checked_and_recorded = self.waits.lock();
            if ambient::closes_a_circle(&mine, &flight) {
                return Seat::Alone;
            }
            ambient::wait_for(&mine, &flight);
        }
        Seat::Follow(Follow::new(flight, mine, self.clock.clone()))
    }

    pub(super) fn remove(&self, flight: &Arc<Flight>) {
        self.table.remove_if(&flight.key, |_, other| Arc::ptr_eq(flight, other));
    }

    /// From here on nobody joins a flight that `target` covers.
    pub(crate) fn detach(&self, target: Target<'_>) {
        match target {
            Target::Key(key) => drop(self.table.remove(key)),
            _ if self.table.is_empty() => {}
            Target::Tag(tag) => self.table.retain(|_, flight| !flight.tags.iter().any(|t| **t == *tag)),
            Target::Pattern(pattern) => match Pattern::new(pattern) {
                Ok(pattern) => self.table.retain(|key, _| !pattern.matches(key.as_bytes())),
                Err(_) => self.table.clear(),
            },
            Target::All => self.table.clear(),
        }
    }
}

/// Whether an async leader cannot go on while this thread is held.
fn needs_this_thread(flight: &Flight) -> bool {
    let thread = flight.state.lock().thread;
    thread.is_none_or(|thread| thread == std::thread::current().id()) || runtime::inside_a_runtime()
}
