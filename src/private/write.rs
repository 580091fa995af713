//! Functions that write: their body, and then what of the cache they change.

use std::future::Future;

use cache_core::{Cacheable, Error, Policy};
use cache_core::private::{Writer, block_on};

use super::shape::{Chosen, Form};

/// An async function that writes. `named` names what only its result tells.
pub async fn write_async<F, L, N>(
    mut writer: Writer,
    _form: Chosen<F>,
    body: L,
    named: N,
    hand_out: Option<fn(Error) -> F::Return>,
) -> F::Return
where
    F: Form,
    L: Future<Output = F::Return>,
    N: FnOnce(&F::Return, &F::Value, &mut Writer),
{
    let returned = body.await;
    let succeeded = F::value(&returned).map(|value| named(&returned, value, &mut writer)).is_some();
    match (writer.finish(succeeded).await, hand_out) {
        (Some(error), Some(hand_out)) => hand_out(error),
        _ => returned,
    }
}

/// A synchronous function that writes.
pub fn write_sync<F, B, N>(
    writer: Writer,
    form: Chosen<F>,
    body: B,
    named: N,
    hand_out: Option<fn(Error) -> F::Return>,
) -> F::Return
where
    F: Form,
    B: FnOnce() -> F::Return,
    N: FnOnce(&F::Return, &F::Value, &mut Writer),
{
    block_on(write_async(writer, form, async { body() }, named, hand_out))
}

/// What an update stores: the value in what was returned.
pub fn store<F: Form>(
    writer: &mut Writer,
    rule: usize,
    key: &str,
    _form: Chosen<F>,
    returned: &F::Return,
    policy: Policy,
) where
    F::Value: Cacheable,
    F::Cloned: Kept,
{
    if let Some(value) = F::shared(returned) {
        writer.store(rule, key, value, policy);
    }
}

/// `Clone`, with a word on why.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`, but an update keeps a clone of what its function returns by value",
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
