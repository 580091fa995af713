//! A flag of one thread, and those who wait until it is up.

use std::cell::Cell;

use tokio::sync::Notify;

/// Unlike those of tokio's `watch`, who waits for it is woken in the order in which he came: a simulation runs twice in
/// the same way.
#[derive(Default)]
pub(crate) struct Flag {
    is_up: Cell<bool>,
    raised: Notify,
}

impl Flag {
    /// One that is up.
    pub(crate) fn up() -> Self {
        Self { is_up: Cell::new(true), ..Self::default() }
    }

    pub(crate) fn is_up(&self) -> bool {
        self.is_up.get()
    }

    pub(crate) fn raise(&self) {
        self.is_up.set(true);
        self.raised.notify_waiters();
    }

    pub(crate) fn lower(&self) {
        self.is_up.set(false);
    }

    /// Returns when it is up, at once if it is.
    pub(crate) async fn raised(&self) {
        while !self.is_up() {
            self.raised.notified().await;
        }
    }
}
