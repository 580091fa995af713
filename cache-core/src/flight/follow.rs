//! Waiting for somebody else's load, and noticing when nobody polls it any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Flight, Landing, ambient};
use crate::clock::{Clock, Time, WakeUp};

/// How often a follower looks after its leader, and how long the leader may take to give a sign of life.
/// Together they stay under the 3 s within which a leader that is never polled again is replaced.
const LOOK: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_millis(2000);

/// The landing of somebody else's flight. Async leaders are asked for a sign of life now and then: their task is
/// woken, and a leader that is not polled for two seconds after that has been forgotten by whoever holds it.
pub(crate) struct Follow {
    flight: Arc<Flight>,
    /// The flights whose loaders wait here.
    mine: Vec<Arc<Flight>>,
    clock: Clock,
    place: Option<usize>,
    look: Time,
    wake_up: Option<WakeUp>,
}

impl Follow {
    pub(super) fn new(flight: Arc<Flight>, mine: Vec<Arc<Flight>>, clock: Clock) -> Self {
        Self { flight, mine, clock, place: None, look: Time::ZERO, wake_up: None }
    }

    /// Asks the leader for a sign of life; true if it has not given the last one it was asked for.
    fn leader_is_lost(&self, now: Time) -> bool {
        let mut state = self.flight.state.lock();
        match state.asked {
            Some(since) => now - since >= PATIENCE,
            None => {
                state.asked = Some(now);
                let leader = state.leader.clone();
                drop(state);
                if let Some(leader) = leader {
                    leader.wake();
                }
                false
            }
        }
    }
}

impl Future for Follow {
    type Output = Landing;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Landing> {
        let this = &mut *self;
        {
            let mut state = this.flight.state.lock();
            if let Some(landing) = &state.landing {
                return Poll::Ready(landing.clone());
            }
            let place = *this.place.get_or_insert_with(|| {
                state.free.pop().unwrap_or_else(|| {
                    state.followers.push(None);
                    state.followers.len() - 1
                })
            });
            let replaced = state.followers[place].replace(cx.waker().clone());
            drop(state);
            if this.flight.blocking {
                return Poll::Pending;
            }
            // Who polls with another waker than before is to be woken to look after the leader, too.
            if replaced.is_some_and(|before| !before.will_wake(cx.waker())) {
                this.wake_up = Some(this.clock.wake_at(this.look, cx.waker()));
            }
        }
        let now = this.clock.now();
        if now >= this.look {
            let first = this.look == Time::ZERO;
            this.look = now + LOOK;
            if !first && this.leader_is_lost(now) {
                this.flight.land(Landing::Abandoned);
                return Poll::Ready(Landing::Abandoned);
            }
            this.wake_up = Some(this.clock.wake_at(this.look, cx.waker()));
        }
        Poll::Pending
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        ambient::stop_waiting(&self.mine, &self.flight);
        if let Some(place) = self.place {
            // Its waker must not keep a task alive that no longer waits; and is not dropped under the lock.
            let mut state = self.flight.state.lock();
            let waker = state.followers.get_mut(place).and_then(Option::take);
            state.free.push(place);
            drop(state);
            drop(waker);
        }
    }
}
