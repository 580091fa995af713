//! Which flights the code that runs now is loading for: a load that waits for itself would wait for ever.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use super::{Flight, Lead};
use crate::sync::{thread, thread_local};

thread_local! {
    static AMBIENT: RefCell<Vec<Arc<Flight>>> = const { RefCell::new(Vec::new()) };
}

/// The flights whose loaders are running on this thread, the innermost last.
pub(super) fn flights() -> Vec<Arc<Flight>> {
    AMBIENT.with(|flights| flights.borrow().clone())
}

/// Whether one of `mine` is `flight`, or is what `flight` waits for, at any number of removes.
pub(super) fn closes_a_circle(mine: &[Arc<Flight>], flight: &Arc<Flight>) -> bool {
    let mut reached = vec![flight.clone()];
    while let Some(flight) = reached.pop() {
        if mine.iter().any(|my| Arc::ptr_eq(my, &flight)) {
            return true;
        }
        reached.extend(flight.waits_for.lock().iter().filter_map(Weak::upgrade));
    }
    false
}

pub(super) fn wait_for(mine: &[Arc<Flight>], flight: &Arc<Flight>) {
    for my in mine {
        my.waits_for.lock().push(Arc::downgrade(flight));
    }
}

pub(super) fn stop_waiting(mine: &[Arc<Flight>], flight: &Arc<Flight>) {
    for my in mine {
        let mut waits = my.waits_for.lock();
        if let Some(at) = waits.iter().position(|wait| std::ptr::eq(wait.as_ptr(), Arc::as_ptr(flight))) {
            waits.swap_remove(at);
        }
    }
}

/// A loader's future, run as the leader of a flight (or alone): the flight is ambient while the loader runs, and
/// each poll is a sign of life to its followers.
pub(crate) struct Piloted<'l, F> {
    lead: Option<&'l Lead>,
    loader: Pin<&'l mut F>,
}

impl<'l, F> Piloted<'l, F> {
    pub(crate) fn new(lead: Option<&'l Lead>, loader: Pin<&'l mut F>) -> Self {
        Self { lead, loader }
    }
}

impl<F: Future> Future for Piloted<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(lead) = self.lead else { return self.loader.as_mut().poll(cx) };
        let _ambient = Ambient::enter(&lead.flight);
        if !lead.flight.blocking {
            let mut replaced = None;
            let mut state = lead.flight.state.lock();
            state.thread = Some(thread::current().id());
            state.asked = None;
            if !state.leader.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                replaced = state.leader.replace(cx.waker().clone());
            }
            drop(state);
            drop(replaced);
        }
        self.loader.as_mut().poll(cx)
    }
}

/// Leaves by `Drop`, also when the loader panics.
struct Ambient;

impl Ambient {
    fn enter(flight: &Arc<Flight>) -> Self {
        AMBIENT.with(|flights| flights.borrow_mut().push(flight.clone()));
        Self
    }
}

impl Drop for Ambient {
    fn drop(&mut self) {
        let left = AMBIENT.with(|flights| flights.borrow_mut().pop());
        drop(left);
    }
}
