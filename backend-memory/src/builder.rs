//! How a [`Memory`] is put together.

use cache_core::Clock;

use crate::memory::Memory;

/// Puts a [`Memory`] together.
#[derive(Debug, Default)]
pub struct MemoryBuilder {
    capacity: Option<usize>,
    clock: Clock,
}

impl MemoryBuilder {
    /// How many entries it holds at most (10 000 by default, at least one).
    #[must_use]
    pub fn capacity(mut self, entries: usize) -> Self {
        self.capacity = Some(entries);
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
        Memory::new(self.capacity.unwrap_or(10_000).max(1), self.clock)
    }
}
