//! Functions that write: their body, and then what of the cache they change.

use std::future::Future;

use cache_core::private::{Writer, block_on};
use cache_core::{Cacheable, Error, Policy};

use super::form::Form;
use super::shape::Chosen;

/// An async function that writes. `named` names what only its result tells, and says whether there was one.
pub async fn write_async<R, L: Future<Output = R>>(
    mut writer: Writer,
    body: L,
    named: impl FnOnce(R, &mut Writer) -> (R, bool),
    hand_out: Option<fn(Error) -> R>,
) -> R {
    let (returned, succeeded) = named(body.await, &mut writer);
    match (writer.finish(succeeded).await, hand_out) {
        (Some(error), Some(hand_out)) => hand_out(error),
        _ => returned,
    }
}

/// A synchronous function that writes.
pub fn write_sync<R>(
    writer: Writer,
    body: impl FnOnce() -> R,
    named: impl FnOnce(R, &mut Writer) -> (R, bool),
    hand_out: Option<fn(Error) -> R>,
) -> R {
    block_on(write_async(writer, async { body() }, named, hand_out))
}

/// What `name` makes of the value that was returned; nothing after `Err` and `None`.
pub fn name<F: Form, X>(
    _form: &Chosen<F>,
    returned: &F::Return,
    name: impl FnOnce(&F::Seen) -> X,
) -> Option<X> {
    F::seen(returned).map(name)
}

/// Stores the value that was returned, and gives it back.
pub fn store<F: Form>(
    _form: &Chosen<F>,
    returned: F::Return,
    writer: &mut Writer,
    rule: usize,
    (key, policy): (impl AsRef<str>, Policy),
) -> F::Return
where
    F::Value: Cacheable,
    F::Cloned: Kept,
{
    match F::split(returned) {
        Ok(loaded) => F::join(writer.store(rule, key.as_ref(), loaded, policy)),
        Err(returned) => returned,
    }
}

/// `Clone`, with a word on why.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`, but `updates` keeps a clone of what the function returns by value",
    label = "not `Clone`",
    note = "derive `Clone` for it, or return `Arc<{Self}>`, which the cache shares"
)]
pub trait Kept: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Kept for T {}

/// `Err` of a cache's error, for `on_error = return`.
#[diagnostic::on_unimplemented(
    message = "`on_error = return` hands a cache's error to the caller, and `{Self}` cannot hold it",
    note = "return a `Result<_, E>` and implement `From<larder::Error>` for `E`, or leave `on_error` out: the error is then counted and logged"
)]
pub trait HandsOut: Sized {
    fn hand_out(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E: From<Error>> HandsOut for Result<T, E> {
    fn hand_out(error: Error) -> Self {
        Err(error.into())
    }
}
