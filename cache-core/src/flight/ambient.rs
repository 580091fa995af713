//! Which flights the code that runs now is loading for: a load that waits for itself would wait for ever.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use super::{Flight, Lead};
use crate::sync::atomic::Ordering;
use crate::sync::thread_local;

thread_local! {
    static HERE: u8 = const { 0 };
    static AMBIENT: RefCell<Vec<Arc<Flight>>> = const { RefCell::new(Vec::new()) };
    /// How many loaders are running on this thread, one inside the other; also such as have no flight.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// A number that no other living thread has.
pub(super) fn this_thread() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// The flights whose loaders are running on this thread, the innermost last.
pub(super) fn flights() -> Vec<Arc<Flight>> {
    AMBIENT.with(|flights| flights.borrow().clone())
}

/// Whether the code that runs now is a loader.
pub(crate) fn is_loading() -> bool {
    DEPTH.with(Cell::get) > 0
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

/// A leader's polls: its flights (none, if it is alone) are ambient meanwhile, and each poll is a sign of life to their followers.
pub(crate) struct Pilot<'l> {
    leads: &'l [Lead],
    /// It has been polled, and so followers may have asked for a sign of life.
    under_way: bool,
}

impl<'l> Pilot<'l> {
    pub(crate) fn new(leads: &'l [Lead]) -> Self {
        Self { leads, under_way: false }
    }

    /// A poll begins.
    pub(crate) fn enter(&self, cx: &Context<'_>) -> Ambient {
        if self.under_way {
            self.leads.iter().for_each(|lead| lead.flight.sign_of_life(cx.waker()));
        } else {
            self.leads.iter().for_each(|lead| lead.flight.is_led_here());
        }
        Ambient::enter(self.leads)
    }

    /// It came to nothing yet. Most loads of memory, and all that block, are done at once: nobody can wake them or wait
    /// for a sign.
    pub(crate) fn waits(&mut self, cx: &Context<'_>) {
        if !std::mem::replace(&mut self.under_way, true) {
            self.leads.iter().for_each(|lead| lead.flight.sign_of_life(cx.waker()));
        }
    }
}

/// A future that is polled as the leader of flights.
pub(crate) struct Piloted<'l, F> {
    pilot: Pilot<'l>,
    future: Pin<&'l mut F>,
}

impl<'l, F> Piloted<'l, F> {
    pub(crate) fn new(leads: &'l [Lead], future: Pin<&'l mut F>) -> Self {
        Self { pilot: Pilot::new(leads), future }
    }
}

impl<F: Future> Future for Piloted<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let ambient = self.pilot.enter(cx);
        let poll = self.future.as_mut().poll(cx);
        if poll.is_pending() {
            self.pilot.waits(cx);
        }
        drop(ambient);
        poll
    }
}

impl Flight {
    fn is_led_here(&self) {
        self.thread.store(this_thread(), Ordering::Relaxed);
    }

    /// Its leader is being polled on this thread, and can be woken by `waker`.
    fn sign_of_life(&self, waker: &Waker) {
        if self.blocking {
            return;
        }
        self.is_led_here();
        let mut replaced = None;
        let mut state = self.state.lock();
        state.asked = None;
        if !state.leader.as_ref().is_some_and(|leader| leader.will_wake(waker)) {
            replaced = state.leader.replace(waker.clone());
        }
        drop(state);
        drop(replaced);
    }
}

/// The flights are ambient until it is dropped, which it is also where the loader panics.
pub(crate) struct Ambient(usize);

impl Ambient {
    pub(crate) fn enter(leads: &[Lead]) -> Self {
        if !leads.is_empty() {
            let entered = leads.iter().map(|lead| lead.flight.clone());
            AMBIENT.with(|flights| flights.borrow_mut().extend(entered));
        }
        DEPTH.with(|depth| depth.set(depth.get() + 1));
        Self(leads.len())
    }
}

impl Drop for Ambient {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
        for _ in 0..self.0 {
            let left = AMBIENT.with(|flights| flights.borrow_mut().pop());
            drop(left);
        }
    }
}
