//! What may load a value, and where it may run.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::policy::{InCaller, Policy};
use crate::reply::BoxFuture;

/// A policy of a load, which says by its type what the loader `L` may be.
///
/// A full [`Policy`] may ask for a refresh in the background, so its loader's future is `Send + 'static`. A bare
/// [`Duration`], or [`Policy::in_caller`], loads in its caller, and its loader may borrow.
#[diagnostic::on_unimplemented(
    message = "a load cannot run under a policy of type `{Self}`",
    note = "a full `Policy` may load in the background, so its loader's future must be `Send + 'static`: move clones into it, or call `.in_caller()` on the policy to let it borrow"
)]
pub trait LoadPolicy<L: Future>: Sized {
    /// The policy itself.
    #[doc(hidden)]
    fn into_policy(self) -> Policy;

    /// The loader as something that can outlive its caller, if its type allows.
    #[doc(hidden)]
    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L>;
}

impl<L: Future + Send + 'static> LoadPolicy<L> for Policy {
    fn into_policy(self) -> Policy {
        self
    }

    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L> {
        Ok(Box::pin(loader))
    }
}

impl<L: Future + Send + 'static> LoadPolicy<L> for &Policy {
    fn into_policy(self) -> Policy {
        self.clone()
    }

    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L> {
        Ok(Box::pin(loader))
    }
}

impl<L: Future> LoadPolicy<L> for InCaller {
    fn into_policy(self) -> Policy {
        self.0
    }

    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L> {
        Err(loader)
    }
}

impl<L: Future> LoadPolicy<L> for Duration {
    fn into_policy(self) -> Policy {
        self.into()
    }

    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L> {
        Err(loader)
    }
}

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
