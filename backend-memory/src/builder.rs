//! How a [`Memory`] is put together.

use std::fmt;

use cache_core::{Cacheable, Clock, Value};

use crate::budget::Budget;
use crate::departure::{Listener, RemovalCause};
use crate::memory::Memory;
use crate::weigh::Weighers;

/// Puts a [`Memory`] together.
#[derive(Default)]
pub struct MemoryBuilder {
    capacity: Option<u64>,
    max_weight: Option<u64>,
    weighers: Weighers,
    listener: Option<Listener>,
    clock: Clock,
}

impl MemoryBuilder {
    /// How many entries it holds at most, at least one. By default 10 000, and any number where
    /// [`max_weight`](Self::max_weight) bounds it.
    #[must_use]
    pub fn capacity(mut self, entries: usize) -> Self {
        self.capacity = Some(entries as u64);
        self
    }

    /// What the entries weigh together at most, by the [weighers](Self::weigher) of their types. A value that is
    /// heavier than that is not kept, nor what stood under its key; it counts as evicted.
    ///
    /// Without a weigher each entry weighs one, so `max_weight(n)` alone is the same as `capacity(n)`: it does not count
    /// bytes. Give each type that is large a weigher of its own.
    ///
    /// ```
    /// use larder::Memory;
    ///
    /// let store = Memory::builder()
    ///     .max_weight(64 << 20)
    ///     .weigher(|page: &String| page.len() as u32 + 200)
    ///     .weigher(|image: &Vec<u8>| image.len() as u32 + 200)
    ///     .build();
    /// # let _ = store;
    /// ```
    #[must_use]
    pub fn max_weight(mut self, weight: u64) -> Self {
        self.max_weight = Some(weight);
        self
    }

    /// What a value of type `T` weighs, in a unit of your own. It is asked once for each value that is stored, by
    /// the thread that stores it. Values of types without a weigher weigh one, and so do counters (`i64`); a zero
    /// counts as one. Keys and what the store itself needs (some 200 bytes an entry) are not counted: add what
    /// matters to you. A value whose weigher panics is not kept.
    #[must_use]
    pub fn weigher<T: Cacheable>(mut self, weigh: impl Fn(&T) -> u32 + Send + Sync + 'static) -> Self {
        self.weighers.add(weigh);
        self
    }

    /// Told of each entry that leaves, once, and why: after it has left, before its value is dropped, with no lock
    /// held, on the thread that threw it out. For what was invalidated by pattern or tag, or has expired, that is
    /// whoever comes across it first: an operation on its key, or the clock's thread within a second. So be short.
    /// It may use the store; where it panics, only the panic's message is seen.
    ///
    /// Keys are as the store knows them, with their namespace. A counter that is added to stays the entry it is.
    /// What is in the store when the store itself is dropped is not told of.
    ///
    /// ```
    /// use larder::{Larder, Memory, RemovalCause};
    /// use std::{sync::mpsc, time::Duration};
    ///
    /// let (told, removals) = mpsc::channel();
    /// let store = Memory::builder().eviction_listener(move |key, value, cause| {
    ///     let text = value.as_any().downcast_ref::<String>().cloned();
    ///     told.send((key.to_owned(), text, cause)).ok();
    /// });
    /// let cache = Larder::over(store.build());
    /// cache.set("greeting", "hello".to_owned(), Duration::from_secs(60)).wait()?;
    /// cache.delete("greeting").wait()?;
    /// let removal = removals.try_recv().unwrap();
    /// assert_eq!(removal, ("greeting".into(), Some("hello".into()), RemovalCause::Deleted));
    /// # Ok::<(), larder::Error>(())
    /// ```
    #[must_use]
    pub fn eviction_listener(
        mut self,
        listener: impl Fn(&str, &Value, RemovalCause) + Send + Sync + 'static,
    ) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// The clock that deadlines go by; the system's by default.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The store, empty.
    pub fn build(self) -> Memory {
        let entries = match (self.capacity, self.max_weight) {
            (Some(entries), _) => entries.max(1),
            (None, Some(_)) => u64::MAX,
            (None, None) => 10_000,
        };
        let most = self.max_weight.map(|weight| weight.max(1));
        // Weighed also where nothing bounds the weight: it is part of what the store says of itself.
        let weight = most.or((!self.weighers.is_empty()).then_some(u64::MAX));
        let budget = Budget::new(entries, weight);
        Memory::new(entries.min(most.unwrap_or(u64::MAX)), budget, self.weighers, self.listener, self.clock)
    }
}

impl fmt::Debug for MemoryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBuilder")
            .field("capacity", &self.capacity)
            .field("max_weight", &self.max_weight)
            .field("weighers", &self.weighers)
            .finish_non_exhaustive()
    }
}
