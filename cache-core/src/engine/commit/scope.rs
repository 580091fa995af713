//! In whose transaction the code runs that runs now.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::buffer::Buffer;
use super::change::Change;
use crate::engine::Engine;
use crate::sync::thread_local;
use crate::target::{Strength, Target};

thread_local! {
    /// Whether this thread is in a scope: what every invalidation looks at.
    static ENTERED: Cell<bool> = const { Cell::new(false) };
    static SCOPES: RefCell<Vec<Arc<Buffer>>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn is_entered() -> bool {
    ENTERED.with(Cell::get)
}

/// The innermost transaction.
pub(super) fn current() -> Option<Arc<Buffer>> {
    if !is_entered() {
        return None;
    }
    SCOPES.with(|scopes| scopes.borrow().last().cloned())
}

/// An invalidation is asked for explicitly: inside a transaction it is made now, as it promises, and once more at the
/// commit, since what is loaded meanwhile is what was there before.
#[inline]
pub(in crate::engine) fn repeat_at_commit(engine: &Engine, target: Target<'_>, strength: Strength) {
    if let Some(buffer) = current() {
        // A transaction that is decided needs no repetition.
        drop(buffer.keep(Change::Strike { engine: engine.clone(), target: target.into(), strength }));
    }
}

/// Leaves by `Drop`, also when what runs in it panics.
pub(super) struct Scope;

impl Scope {
    pub(super) fn enter(buffer: &Arc<Buffer>) -> Self {
        SCOPES.with(|scopes| scopes.borrow_mut().push(buffer.clone()));
        ENTERED.with(|entered| entered.set(true));
        Self
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let left = SCOPES.with(|scopes| {
            let mut scopes = scopes.borrow_mut();
            let left = scopes.pop();
            ENTERED.with(|entered| entered.set(!scopes.is_empty()));
            left
        });
        // It may be the last handle of a cache: not under the borrow.
        drop(left);
    }
}

/// A future that is in the scope whenever it is polled, on whatever thread.
pub(super) struct Scoped<'f, F> {
    pub(super) buffer: &'f Arc<Buffer>,
    pub(super) future: Pin<&'f mut F>,
}

impl<F: Future> Future for Scoped<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _scope = Scope::enter(self.buffer);
        self.future.as_mut().poll(cx)
    }
}
