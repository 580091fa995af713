//! The flights of one cache, by key.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;
use rapidhash::fast::RandomState;

use super::{Flight, Follow, Lead, ambient};
use crate::clock::Clock;
use crate::pattern::Pattern;
use crate::runtime;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
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
///
/// A table by hash of what is shared anyhow: a map would want the key once more, and hash it for every step.
pub(crate) struct Flights {
    parts: [Mutex<HashTable<Arc<Flight>>>; PARTS],
    /// Seeded at random, so that nobody can choose keys that collide.
    hasher: RandomState,
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

/// So that loads of different keys seldom wait for each other.
const PARTS: usize = if cfg!(shuttle) { 2 } else { 32 };

impl Flights {
    pub(crate) fn new(capacity: usize, clock: Clock) -> Self {
        let (parts, hasher) = (Default::default(), RandomState::new());
        let (count, struck) = (AtomicUsize::new(0), AtomicU64::new(0));
        Self { parts, hasher, count, struck, capacity, clock, waits: Mutex::new(()) }
    }

    /// The part for a hash. Not by its lowest or topmost bits: the part's own table goes by those.
    fn part(&self, hash: u64) -> &Mutex<HashTable<Arc<Flight>>> {
        &self.parts[(hash >> 40) as usize % PARTS]
    }

    /// Joins the flight of `key`, or begins one.
    pub(crate) fn seat(self: &Arc<Self>, key: &str, tags: &[Box<str>], caller: Caller) -> Seat {
        let hash = self.hasher.hash_one(key);
        let mut part = self.part(hash).lock();
        if let Ok(entry) = part.find_entry(hash, |flight| *flight.key == *key) {
            let flight = entry.get().clone();
            if !flight.has_landed() {
                drop(part);
                return self.join(flight, caller);
            }
            // Given up by its followers, while its leader still holds it.
            entry.remove();
            self.left(1);
        }
        if self.len() >= self.capacity {
            return Seat::Alone(None);
        }
        self.count.fetch_add(1, Ordering::SeqCst);
        let flight = Arc::new(Flight::new((hash, key), tags, caller, self.struck()));
        part.insert_unique(hash, flight.clone(), |flight| flight.hash);
        drop(part);
        Seat::Lead(Lead::new(self.clone(), flight))
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
        self.remove_one(flight.hash, |other| Arc::ptr_eq(flight, other));
    }

    fn remove_one(&self, hash: u64, is_it: impl FnMut(&Arc<Flight>) -> bool) {
        let removed = self.part(hash).lock().find_entry(hash, is_it).ok().map(|entry| entry.remove().0);
        self.left(removed.is_some().into());
    }

    fn left(&self, flights: usize) {
        if flights > 0 {
            self.count.fetch_sub(flights, Ordering::SeqCst);
        }
    }

    fn remove_where(&self, covered: impl Fn(&Flight) -> bool) {
        for part in &self.parts {
            let mut removed = Vec::new();
            removed.extend(part.lock().extract_if(|flight| covered(flight)));
            self.left(removed.len());
        }
    }

    /// Whether `key` is being loaded here, and not only asked for.
    pub(crate) fn loads(&self, key: &str) -> bool {
        let hash = self.hasher.hash_one(key);
        self.len() != 0
            && self
                .part(hash)
                .lock()
                .find(hash, |flight| *flight.key == *key)
                .is_some_and(|flight| flight.reads.load(Ordering::SeqCst))
    }

    /// From here on nobody joins a flight that `target` covers.
    pub(crate) fn detach(&self, target: Target<'_>) {
        self.detach_those(target, |_| true);
    }

    /// The same of flights whose source may have been read: of the others it will be after this.
    pub(crate) fn detach_loads(&self, target: Target<'_>) {
        self.detach_those(target, |flight| flight.reads.load(Ordering::SeqCst));
    }

    fn detach_those(&self, target: Target<'_>, which: impl Fn(&Flight) -> bool) {
        if self.len() == 0 {
            return;
        }
        match target {
            Target::Key(key) => {
                self.remove_one(self.hasher.hash_one(key), |flight| *flight.key == *key && which(flight));
            }
            Target::Tag(tag) => {
                // Counted first: a flight that names the tag too late to be met here sees that there was one.
                self.struck.fetch_add(1, Ordering::SeqCst);
                self.remove_where(|flight| flight.bears(tag) && which(flight));
            }
            Target::Pattern(pattern) => {
                let pattern = Pattern::new(pattern).ok();
                self.remove_where(|flight| {
                    pattern.as_ref().is_none_or(|pattern| pattern.matches(flight.key.as_bytes()))
                        && which(flight)
                });
            }
            Target::All => self.remove_where(which),
        }
    }
}

/// Whether an async leader cannot go on while this thread is held.
fn needs_this_thread(flight: &Flight) -> bool {
    flight.thread.load(Ordering::Relaxed) == ambient::this_thread() || runtime::inside_a_runtime()
}
