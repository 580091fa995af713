//! The cap on loads that run at once.

use async_lock::{Semaphore, SemaphoreGuard};

use super::Job;

/// Lets so many loads run at once; the others wait their turn.
pub(in crate::engine) struct Gate(Option<Semaphore>);

impl Gate {
    pub(in crate::engine) fn new(loads: Option<usize>) -> Self {
        Self(loads.map(|loads| Semaphore::new(loads.max(1))))
    }
}

impl<T, O, E> Job<'_, T, O, E> {
    /// A place among those that may load now, if they are counted. A load that another load waits for is not: it
    /// could wait for a place that the other one holds.
    pub(super) async fn permit(&self) -> Option<SemaphoreGuard<'_>> {
        let gate = self.engine.shared.gate.0.as_ref()?;
        if self.nested { None } else { Some(gate.acquire().await) }
    }
}
