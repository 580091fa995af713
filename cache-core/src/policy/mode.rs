//! What a policy asks of the loaders that it is used with, as types: a loader that cannot do it does not compile.

use std::future::Future;
use std::marker::PhantomData;

use crate::reply::BoxFuture;
use crate::timeout::Timeout;

/// The loader may be moved to the background: its future is `Send + 'static`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Background;

/// The loader runs in its caller and may borrow; see [`Policy::in_caller`](crate::Policy::in_caller).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InCaller;

/// No hard timeout.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Unlimited;

/// A hard timeout; see [`Policy::hard_timeout`](crate::Policy::hard_timeout).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limited;

/// Both, as a policy carries them.
pub(crate) type Mode<R, H> = PhantomData<fn() -> (R, H)>;

/// Where a loader `L` may run.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this loader cannot be moved to the background, and its policy may ask for that",
    note = "a full `Policy` may load in the background, so its loader's future must be `Send + 'static`: move clones into it, or call `.in_caller()` on the policy to let it borrow"
)]
pub trait Runs<L: Future> {
    /// Whether its type allows that a loader outlives its caller.
    const DETACHES: bool;

    /// The loader as something that can outlive its caller, if its type allows.
    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L>;
}

impl<L: Future + Send + 'static> Runs<L> for Background {
    const DETACHES: bool = true;

    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L> {
        Ok(Box::pin(loader))
    }
}

impl<L: Future> Runs<L> for InCaller {
    const DETACHES: bool = false;

    fn detach(loader: L) -> Result<BoxFuture<'static, L::Output>, L> {
        Err(loader)
    }
}

/// What a load that gives `O` comes to when its time is over.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a hard timeout must be told to the caller, and `{O}` cannot tell it",
    note = "load with a function that returns `Result<_, E>`, and implement `From<larder::Timeout>` for `E`"
)]
pub trait Limits<O> {
    /// The error, where there is a limit.
    fn timed_out(timeout: Timeout) -> Option<O>;
}

impl<O> Limits<O> for Unlimited {
    fn timed_out(_: Timeout) -> Option<O> {
        None
    }
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Timeout>> Limits<Result<T, E>> for Limited {
    fn timed_out(timeout: Timeout) -> Option<Result<T, E>> {
        Some(Err(timeout.into()))
    }
}
