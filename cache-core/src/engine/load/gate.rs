//! The cap on loads that run at once.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_lock::{Semaphore, SemaphoreGuardArc};

use super::about::About;
use crate::clock::{Clock, within};
use crate::flight::GivenUp;
use crate::runtime;
use crate::sync::Mutex;

/// How often one who waits looks for itself: whoever has been told of a free place may never be polled again.
const LOOK: Duration = Duration::from_millis(400);

/// Lets so many loads run at once; the others wait their turn.
pub(in crate::engine) struct Gate(Option<Arc<Semaphore>>);

impl Gate {
    pub(in crate::engine) fn new(loads: Option<usize>) -> Self {
        Self(loads.map(|loads| Arc::new(Semaphore::new(loads.max(1)))))
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

/// A place among the loads that run, until its load is over or given up, whichever comes first.
pub(super) struct Permit(Arc<dyn GivenUp>);

impl Permit {
    fn new(place: SemaphoreGuardArc) -> Self {
        Self(Arc::new(Mutex::new(Some(place))))
    }

    /// For the flights of its load.
    pub(super) fn place(&self) -> &Arc<dyn GivenUp> {
        &self.0
    }
}

impl GivenUp for Mutex<Option<SemaphoreGuardArc>> {
    fn give_up(&self) {
        // Whoever is woken by it is not woken under the lock.
        let place = self.lock().take();
        drop(place);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

impl About<'_> {
    /// Whether it waits for a place, where there are no more than so many.
    pub(super) fn queues(&self) -> bool {
        // Who has the places may need a blocking caller's thread.
        !(self.nested || self.blocking && runtime::inside_a_runtime())
    }

    /// A place among those that may load now, if they are counted. A load that another load waits for is not: it
    /// could wait for a place that the other one holds.
    pub(super) async fn permit(&self) -> Option<Permit> {
        let gate = self.engine.shared.gate.0.as_ref()?;
        if !self.queues() {
            return if self.nested { None } else { gate.try_acquire_arc().map(Permit::new) };
        }
        Some(Permit::new(Box::pin(acquire(gate, &self.engine.shared.clock)).await))
    }
}

async fn acquire(gate: &Arc<Semaphore>, clock: &Clock) -> SemaphoreGuardArc {
    let mut place = pin!(gate.acquire_arc());
    loop {
        if let Some(place) = within(clock, Some(clock.now() + LOOK), place.as_mut()).await {
            return place;
        }
    }
}
