//! What may load a value, and where it may run.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::policy::{Limits, Policy, Runs, Unlimited};
use crate::reply::BoxFuture;
use crate::timeout::Timeout;

/// A policy of a load, which says by its type what the loader `L` may be.
///
/// A full [`Policy`] may ask for a refresh in the background, so its loader's future is `Send + 'static`. A bare
/// [`Duration`], or [`Policy::in_caller`], loads in its caller, and its loader may borrow. One with a
/// [hard timeout](Policy::hard_timeout) asks for a loader whose error can say so.
pub trait LoadPolicy<L: Future>: Sized {
    /// Whether [`detach`](LoadPolicy::detach) gives a future.
    #[doc(hidden)]
    const DETACHES: bool;

    /// Whether any fresh value will do.
    #[doc(hidden)]
    fn takes_any(&self) -> bool;

    /// The policy itself.
    #[doc(hidden)]
    fn into_policy(self) -> Policy;

    /// The loader as something that can outlive its caller, if its type allows.
    #[doc(hidden)]
    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L>;

    /// What the load comes to at its hard timeout, if it can have one.
    #[doc(hidden)]
    fn timed_out(timeout: Timeout) -> Option<L::Output>;
}

impl<L: Future, R: Runs<L>, H: Limits<L::Output>> LoadPolicy<L> for Policy<R, H> {
    const DETACHES: bool = R::DETACHES;

    fn takes_any(&self) -> bool {
        Policy::takes_any(self)
    }

    fn into_policy(self) -> Policy {
        self.into_plain()
    }

    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L> {
        R::detach(loader)
    }

    fn timed_out(timeout: Timeout) -> Option<L::Output> {
        H::timed_out(timeout)
    }
}

impl<L: Future, R: Runs<L>, H: Limits<L::Output>> LoadPolicy<L> for &Policy<R, H> {
    const DETACHES: bool = R::DETACHES;

    fn takes_any(&self) -> bool {
        Policy::takes_any(self)
    }

    fn into_policy(self) -> Policy {
        self.clone().into_plain()
    }

    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L> {
        R::detach(loader)
    }

    fn timed_out(timeout: Timeout) -> Option<L::Output> {
        H::timed_out(timeout)
    }
}

impl<L: Future> LoadPolicy<L> for Duration {
    const DETACHES: bool = false;

    fn takes_any(&self) -> bool {
        true
    }

    fn into_policy(self) -> Policy {
        self.into()
    }

    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L> {
        Err(loader)
    }

    fn timed_out(_: Timeout) -> Option<L::Output> {
        None
    }
}

/// A policy that a synchronous load can keep: any but one with a hard timeout, since running code cannot be dropped.
#[diagnostic::on_unimplemented(
    message = "a synchronous load cannot be given up at a hard timeout",
    note = "load with `try_get_or_load` instead, or set no `hard_timeout`"
)]
pub trait Uninterrupted {}

impl<R> Uninterrupted for Policy<R, Unlimited> {}
impl<R> Uninterrupted for &Policy<R, Unlimited> {}
impl Uninterrupted for Duration {}

/// A synchronous loader, as the future that runs it when first polled.
#[derive(Debug)]
pub struct Compute<F>(Option<F>);

impl<F> Compute<F> {
    pub(crate) fn new(compute: F) -> Self {
        Self(Some(compute))
    }
}

/// The closure is moved out to be called; nothing is pinned.
impl<F> Unpin for Compute<F> {}

impl<F: FnOnce() -> O, O> Future for Compute<F> {
    type Output = O;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<O> {
        match self.0.take() {
            Some(compute) => Poll::Ready(compute()),
            // A future is not polled after it was ready.
            None => Poll::Pending,
        }
    }
}
