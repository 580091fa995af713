//! The sweep of a store, again and again on its clock: what is over gives its memory back though nobody reads.

use std::sync::Weak;
use std::time::Duration;

use cache_core::Clock;

const SWEEP_EVERY: Duration = Duration::from_millis(500);

/// Sweeps a while from now, and again and again, until the store is gone.
pub(crate) fn sweep_later<S: Send + Sync + 'static>(clock: Clock, store: Weak<S>, sweep: fn(&S)) {
    let next = clock.now() + SWEEP_EVERY;
    clock.clone().run_at(next, move || {
        if let Some(store) = store.upgrade() {
            // First, lest a value whose `Drop` panics were the last to be swept.
            sweep_later(clock, std::sync::Arc::downgrade(&store), sweep);
            sweep(&store);
        }
    });
}
