//! The store: moka's map, a striped lock per key with the fences, and the marks over all of them.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;

use cache_core::{Clock, Time, Usage};
use moka::notification::RemovalCause;
use moka::sync::Cache as Map;
use rapidhash::quality::RandomState;

use super::MokaBuilder;
use super::departed::Departed;
use super::held::{Held, Judged};
use crate::marks::Marks;
use crate::shard::{Fences, Stored};
use crate::sweep::sweep_later;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, Padded};

/// An in-process store over [moka](https://docs.rs/moka): W-TinyLFU eviction, with larder's guarantees. Clones share
/// it.
///
/// Choose it over [`Memory`](crate::Memory) where its hit ratio is better for your traffic: its admission refuses
/// what is read once and would push out what is read often. A hit costs several times as much.
///
/// What differs from `Memory`:
/// - *A value that was just stored may be gone at once* where the store is full: moka refuses newcomers that are asked
///   for less often than what would give way. A capacity of a few entries therefore holds what came first.
/// - Eviction comes some operations later, in batches: for a moment there may be some hundred values more than the
///   capacity (moka's log of 384 writes, as many on their way out, and two for each writing thread).
/// - A write, and now and then a read, does moka's housekeeping on its caller's thread.
///
/// All else is the same: deadlines by larder's clock, tags, patterns, fences. What has expired or was invalidated is
/// never served from that moment on; its memory is given back within a second, also if nobody reads.
///
/// ```
/// # mod larder { pub use {backend_memory::*, cache_core::*}; }
/// use larder::{Engine, Moka};
/// use std::time::Duration;
///
/// let cache = Engine::new(Moka::new(1000));
/// cache.set("greeting", "hello".to_owned(), Duration::from_secs(60)).wait()?;
/// assert_eq!(*cache.get::<String>("greeting").wait()?.unwrap(), "hello");
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone)]
pub struct Moka(pub(super) Arc<Store>);

pub(super) struct Store {
    map: Map<Box<str>, Arc<Held>, RandomState>,
    /// Whatever changes the entry of a key, but for eviction, does so under the key's stripe.
    stripes: Box<[Padded<Mutex<Fences>>]>,
    /// Random, so that nobody can choose keys that collide.
    hasher: RandomState,
    pub(super) marks: Marks,
    pub(super) clock: Clock,
    capacity: usize,
    pub(super) departed: Arc<Departed>,
    expirations: AtomicU64,
    /// No entry expires before this, in milliseconds.
    earliest: AtomicU64,
    sweeping: Mutex<()>,
}

/// (A model looks at each of them at every sweep.)
const STRIPES: usize = if cfg!(shuttle) { 2 } else { 64 };

/// What an operation wants done with the entry of its key.
pub(super) enum Then {
    Keep,
    Put(Stored),
    Remove,
}

impl Moka {
    /// Holds at most `capacity` entries (at least one).
    ///
    /// ```
    /// # mod larder { pub use {backend_memory::*, cache_core::*}; }
    /// use larder::{Cache, Moka};
    ///
    /// assert_eq!(Moka::new(1000).usage().entries, 0);
    /// ```
    pub fn new(capacity: usize) -> Self {
        Self::builder().capacity(capacity).build()
    }

    /// How it is put together.
    ///
    /// ```
    /// # mod larder { pub use {backend_memory::*, cache_core::*}; }
    /// use larder::{ManualClock, Moka};
    ///
    /// let clock = ManualClock::new();
    /// let moka = Moka::builder().capacity(1000).clock(clock.clock()).build();
    /// # let _ = moka;
    /// ```
    pub fn builder() -> MokaBuilder {
        MokaBuilder::default()
    }

    pub(super) fn with_clock(capacity: usize, clock: Clock) -> Self {
        let (hasher, departed) = (RandomState::new(), Arc::new(Departed::default()));
        let listener = departed.clone();
        let map = Map::builder()
            .max_capacity(capacity as u64)
            // What we remove or replace ourselves has left its cell before.
            .eviction_listener(move |_, held: Arc<Held>, cause| {
                if cause == RemovalCause::Size {
                    listener.evicted(&held);
                }
            })
            .build_with_hasher(hasher);
        let store = Arc::new(Store {
            map,
            stripes: (0..STRIPES).map(|_| Padded(Mutex::default())).collect(),
            hasher,
            marks: Marks::default(),
            clock,
            capacity,
            departed,
            expirations: AtomicU64::new(0),
            earliest: AtomicU64::new(u64::MAX),
            sweeping: Mutex::new(()),
        });
        sweep_later(store.clock.clone(), Arc::downgrade(&store), Store::sweep);
        Self(store)
    }
}

impl Store {
    /// The entry as moka has it, whether it is still valid or not. Tells moka of the read.
    #[inline]
    pub(super) fn held(&self, key: &str) -> Option<Arc<Held>> {
        self.map.get(key)
    }

    pub(super) fn hash(&self, key: &str) -> u64 {
        self.hasher.hash_one(key)
    }

    pub(super) fn fences(&self, hash: u64) -> MutexGuard<'_, Fences> {
        self.stripes[(hash >> 40) as usize & (STRIPES - 1)].0.lock()
    }

    /// Holds the entry of `key` against the marks and the clock, and goes on with what is left of it, under the key's
    /// stripe. What goes is dropped without a lock.
    pub(super) fn with<R>(
        &self,
        key: &str,
        then: impl FnOnce(&mut Fences, u64, Option<&mut Stored>, Time) -> (R, Then),
    ) -> R {
        let (hash, now) = (self.hash(key), self.clock.now());
        let mut fences = self.fences(hash);
        let held = self.held(key);
        let mut cell = held.as_ref().map(|held| held.lock());
        // An empty cell has been evicted or removed; it is nobody's place any more.
        let place = cell.as_deref_mut().filter(|place| place.is_some());
        let (result, gone, newcomer) = match place {
            None => match then(&mut fences, hash, None, now) {
                (result, Then::Put(stored)) => (result, None, Some(stored)),
                (result, _) => (result, None, None),
            },
            Some(place) => {
                let over = self.take_if_over(place, key, now);
                let (result, then) = then(&mut fences, hash, place.as_mut(), now);
                let gone = match then {
                    Then::Keep => over,
                    Then::Put(stored) => over.or(place.replace(stored)),
                    Then::Remove => over.or(place.take()),
                };
                (result, gone, None)
            }
        };
        let (ends, emptied) = match (&cell, &newcomer) {
            (_, Some(stored)) => (Some(stored.deadlines.stale_until), false),
            (Some(cell), None) => (cell.as_ref().map(|stored| stored.deadlines.stale_until), cell.is_none()),
            (None, None) => (None, false),
        };
        drop(cell);
        if let Some(stored) = newcomer {
            self.map.insert(key.into(), Arc::new(Held::new(stored)));
        } else if emptied {
            self.map.invalidate(key);
        }
        // After the entry stands in its place: a sweep that does not see this, sees that.
        if let Some(ends) = ends {
            self.earliest.fetch_min(ends.as_millis(), Ordering::AcqRel);
        }
        drop(fences);
        drop(gone);
        self.departed.bury();
        result
    }

    /// Empties `place` if the entry in it has expired or was invalidated.
    fn take_if_over(&self, place: &mut Option<Stored>, key: &str, now: Time) -> Option<Stored> {
        match place.as_mut()?.judge(key, &self.marks, now) {
            Judged::Stays => return None,
            Judged::Invalidated => {}
            Judged::Expired => {
                self.expirations.fetch_add(1, Ordering::Relaxed);
            }
        }
        place.take()
    }

    /// Gives back the memory of what has expired or was invalidated, and forgets the marks that are not needed
    /// any more.
    pub(super) fn sweep(&self) {
        // One at a time, as in `Memory`.
        let Some(_alone) = self.sweeping.try_lock() else { return };
        let sweep = self.marks.begin_sweep();
        // Once each stripe has been locked, whatever was held against older marks than `sweep` knows is in the map.
        let oldest_load = self.stripes.iter().map(|stripe| stripe.0.lock().oldest()).min();
        if sweep.due || self.clock.now().as_millis() >= self.earliest.load(Ordering::Acquire) {
            self.earliest.swap(u64::MAX, Ordering::AcqRel);
            for (key, held) in &self.map {
                self.sweep_entry(&key, &held);
            }
        }
        self.map.run_pending_tasks();
        self.marks.forget(&sweep, oldest_load.unwrap_or(u64::MAX));
        self.departed.bury();
    }

    fn sweep_entry(&self, key: &str, held: &Arc<Held>) {
        let mut place = held.lock();
        let gone = self.take_if_over(&mut place, key, self.clock.now());
        if let Some(stored) = &*place {
            self.earliest.fetch_min(stored.deadlines.stale_until.as_millis(), Ordering::AcqRel);
            return;
        }
        drop(place);
        let stripe = self.fences(self.hash(key));
        // Not what took its place meanwhile.
        if self.held(key).is_some_and(|other| Arc::ptr_eq(held, &other)) {
            self.map.invalidate(key);
        }
        drop(stripe);
        if let Some(gone) = gone {
            self.departed.add(gone);
        }
    }

    pub(super) fn usage(&self) -> Usage {
        self.map.run_pending_tasks();
        self.departed.bury();
        let entries = self.map.entry_count();
        Usage {
            entries,
            weight: entries,
            evictions: self.departed.evictions(),
            expirations: self.expirations.load(Ordering::Relaxed),
            ..Usage::default()
        }
    }
}

impl fmt::Debug for Moka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moka")
            .field("capacity", &self.0.capacity)
            .field("entries", &self.0.map.entry_count())
            .finish_non_exhaustive()
    }
}
