//! How a [`Moka`] is put together.

use cache_core::Clock;

use super::Moka;

/// Puts a [`Moka`] together.
#[derive(Debug, Default)]
pub struct MokaBuilder {
    capacity: Option<usize>,
    clock: Clock,
}

impl MokaBuilder {
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
    pub fn build(self) -> Moka {
        Moka::with_clock(self.capacity.unwrap_or(10_000).max(1), self.clock)
    }
}
