//! A future with a deadline.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::{Clock, Time, WakeUp};

/// The output of `future`, or `None` if it has not ended by `deadline`. The future is not dropped.
pub(crate) fn within<'f, F: Future>(
    clock: &'f Clock,
    deadline: Option<Time>,
    future: Pin<&'f mut F>,
) -> Within<'f, F> {
    Within { clock, deadline, future, wake_up: None }
}

/// See [`within`].
pub(crate) struct Within<'f, F> {
    clock: &'f Clock,
    deadline: Option<Time>,
    future: Pin<&'f mut F>,
    wake_up: Option<(Waker, WakeUp)>,
}

impl<F: Future> Future for Within<'_, F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Poll::Ready(output) = this.future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let Some(deadline) = this.deadline else { return Poll::Pending };
        if this.clock.now() >= deadline {
            return Poll::Ready(None);
        }
        if !this.wake_up.as_ref().is_some_and(|(waker, _)| waker.will_wake(cx.waker())) {
            this.wake_up = Some((cx.waker().clone(), this.clock.wake_at(deadline, cx.waker())));
        }
        Poll::Pending
    }
}
