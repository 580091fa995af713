//! A future with a deadline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::{Clock, Time, WakeUp};

/// The time at which somebody gives up, and the wake-up for it.
pub(crate) struct Deadline<'c> {
    clock: &'c Clock,
    time: Option<Time>,
    wake_up: Option<(Waker, WakeUp)>,
}

impl<'c> Deadline<'c> {
    /// `None`: never.
    pub(crate) fn new(clock: &'c Clock, time: Option<Time>) -> Self {
        Self { clock, time, wake_up: None }
    }

    /// Whether it is over; if not, the task of `cx` is woken when it is.
    pub(crate) fn is_over(&mut self, cx: &Context<'_>) -> bool {
        let Some(time) = self.time else { return false };
        if self.clock.now() >= time {
            return true;
        }
        if !self.wake_up.as_ref().is_some_and(|(waker, _)| waker.will_wake(cx.waker())) {
            self.wake_up = Some((cx.waker().clone(), self.clock.wake_at(time, cx.waker())));
        }
        false
    }
}

/// The output of `future`, or `None` if it has not ended by `deadline`. The future is not dropped.
pub(crate) fn within<'f, F: Future>(
    clock: &'f Clock,
    deadline: Option<Time>,
    future: Pin<&'f mut F>,
) -> Within<'f, F> {
    Within { deadline: Deadline::new(clock, deadline), future }
}

/// See [`within`].
pub(crate) struct Within<'f, F> {
    deadline: Deadline<'f>,
    future: Pin<&'f mut F>,
}

impl<F: Future> Future for Within<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.deadline.is_over(cx) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}
