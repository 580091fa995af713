//! The cap on loads that run at once.

use async_lock::{Semaphore, SemaphoreGuard};

use super::Job;
use crate::runtime;

/// Lets so many loads run at once; the others wait their turn.
pub(in crate::engine) struct Gate(Option<Semaphore>);

impl Gate {
    pub(in crate::engine) fn new(loads: Option<usize>) -> Self {
        Self(loads.map(|loads| Semaphore::new(loads.max(1))))
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

impl<T, O, E> Job<'_, T, O, E> {
    /// A place among those that may load now, if they are counted. A load that another load waits for is not: it
    /// could wait for a place that the other one holds.
    pub(super) async fn permit(&self) -> Option<SemaphoreGuard<'_>> {
        let gate = self.engine.shared.gate.0.as_ref()?;
        if self.nested {
            return None;
        }
        if self.terms.blocking && runtime::inside_a_runtime() {
            // Who has the places may need this thread.
            return gate.try_acquire();
        }
        Some(gate.acquire().await)
    }
}
