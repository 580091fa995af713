//! A loader that panics has failed: it is counted before the panic goes on to its caller.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

/// `loader`, which calls `panicked` if a poll of it panics. To be dropped unfinished is no panic.
pub(super) struct Counted<'l, F, P> {
    pub(super) loader: Pin<&'l mut F>,
    pub(super) panicked: P,
}

/// Dropped where a panic unwinds through it; forgotten otherwise.
struct Unwound<'p, P: Fn()>(&'p P);

impl<P: Fn()> Drop for Unwound<'_, P> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl<F: Future, P: Fn() + Unpin> Future for Counted<'_, F, P> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let unwound = Unwound(&this.panicked);
        let poll = this.loader.as_mut().poll(cx);
        mem::forget(unwound);
        poll
    }
}
