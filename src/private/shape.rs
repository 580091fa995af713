//! Whether a return type is a `Result`, an `Option` or an `Arc` is told by type, never by spelling, so aliases of them
//! are what they stand for.
//!
//! A [`Probe`] is asked of the type. It must be asked where the type is known, so that is done in the expansion of the
//! cached function; the answer is a choice among the [forms](super::form).

use std::{marker::PhantomData, sync::Arc};

use cache_core::Cacheable;
use cache_core::private::{Judged, Keep, Shape, Share};

use super::form::{Fallible, Form, HasNone, Maybe, Number, Owned, Shared};

/// A question about the return type `R`.
pub struct Probe<R>(PhantomData<fn() -> R>);

impl<R> Probe<R> {
    pub const NEW: Self = Self(PhantomData);
}

impl<R> Clone for Probe<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Probe<R> {}

/// The answer to [`Pick::form`]: the form `F`.
pub struct Chosen<F>(PhantomData<fn() -> F>);

/// Picks the form of a return type. A method call tries `&&&Probe<R>` first and takes references off until an
/// impl fits: the more references, the more special. No impl has bounds, so that a type is not mistaken for
/// another for what it lacks: what that is [`Chosen::shape`] says, and the call that is given the shape.
pub trait Pick: Sized {
    type Form;

    fn form(self) -> Chosen<Self::Form> {
        Chosen(PhantomData)
    }
}

impl<T> Pick for Probe<T> {
    type Form = Owned<T>;
}

impl Pick for &Probe<i64> {
    type Form = Number;
}

impl<T> Pick for &Probe<Option<T>> {
    type Form = Maybe<Owned<T>>;
}

impl<T, E> Pick for &Probe<Result<T, E>> {
    type Form = Fallible<Owned<T>, E>;
}

impl Pick for &&Probe<Option<i64>> {
    type Form = Maybe<Number>;
}

impl<E> Pick for &&Probe<Result<i64, E>> {
    type Form = Fallible<Number, E>;
}

impl<T, E> Pick for &&Probe<Result<Option<T>, E>> {
    type Form = Fallible<Maybe<Owned<T>>, E>;
}

impl<E> Pick for &&&Probe<Result<Option<i64>, E>> {
    type Form = Fallible<Maybe<Number>, E>;
}

impl<T, E> Pick for &&Probe<Option<Result<T, E>>> {
    type Form = Maybe<Fallible<Owned<T>, E>>;
}

impl<T, E, F> Pick for &&Probe<Result<Result<T, E>, F>> {
    type Form = Fallible<Fallible<Owned<T>, E>, F>;
}

impl<E> Pick for &&&Probe<Option<Result<i64, E>>> {
    type Form = Maybe<Fallible<Number, E>>;
}

impl<T, E> Pick for &&&Probe<Option<Result<Arc<T>, E>>> {
    type Form = Maybe<Fallible<Shared<T>, E>>;
}

impl<E, F> Pick for &&&Probe<Result<Result<i64, E>, F>> {
    type Form = Fallible<Fallible<Number, E>, F>;
}

impl<T, E, F> Pick for &&&Probe<Result<Result<Arc<T>, E>, F>> {
    type Form = Fallible<Fallible<Shared<T>, E>, F>;
}

impl<T> Pick for &&&Probe<Arc<T>> {
    type Form = Shared<T>;
}

impl<T> Pick for &&&Probe<Option<Arc<T>>> {
    type Form = Maybe<Shared<T>>;
}

impl<T, E> Pick for &&&Probe<Result<Arc<T>, E>> {
    type Form = Fallible<Shared<T>, E>;
}

impl<T, E> Pick for &&&Probe<Result<Option<Arc<T>>, E>> {
    type Form = Fallible<Maybe<Shared<T>>, E>;
}

/// What can be cloned for other threads is given to the followers of a load that was not cached. An inherent
/// method comes before a trait's, so [`Alone`] answers for the rest.
impl<R: Clone + Send + Sync + 'static> Probe<R> {
    pub fn share(self) -> Option<Share<R>> {
        Some(Share::by_clone())
    }
}

/// Answers for the types that cannot be shared.
pub trait Alone<R> {
    fn share(self) -> Option<Share<R>>;
}

impl<R> Alone<R> for Probe<R> {
    fn share(self) -> Option<Share<R>> {
        None
    }
}

/// The traits that answer, for a glob import, of which only a part need be used.
pub mod answers {
    pub use super::{Alone as _, Pick as _};
}

/// `Clone`, with a word on why.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`, but a cached function that returns it by value clones it on every hit",
    label = "not `Clone`",
    note = "derive `Clone` for it, or return `Arc<{Self}>`, which a hit shares"
)]
pub trait HandedOut: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> HandedOut for T {}

impl<F: Form> Chosen<F> {
    /// The form that a setting makes of it.
    pub fn then<G>(self, step: fn(Self) -> Chosen<G>) -> Chosen<G> {
        step(self)
    }

    /// The shape of a function whose load gives what it returns.
    #[inline]
    pub fn shape(self, share: Option<Share<F::Return>>) -> Shape<F::Value, F::Return, F::Return>
    where
        F::Value: Cacheable,
        F::Cloned: HandedOut,
    {
        Shape { split: F::split, join: F::join, bare: |returned| returned, failed: F::failed, share }
    }

    /// The shape of a function whose load has a word to say on each value.
    #[inline]
    pub fn judged(self, share: Option<Share<F::Return>>) -> Shape<F::Value, Judged<F::Return>, F::Return>
    where
        F::Value: Cacheable,
        F::Cloned: HandedOut,
    {
        Shape {
            split: |judged| F::split(judged.returned).map(|loaded| judged.keep.of(loaded)),
            join: F::join,
            bare: |judged| judged.returned,
            failed: F::failed,
            share,
        }
    }

    /// What the attribute says of what was returned.
    pub fn judge(self, returned: F::Return, keep: impl FnOnce(&F::Seen) -> Keep) -> Judged<F::Return> {
        let keep = F::seen(&returned).map(keep).unwrap_or_default();
        Judged { returned, keep }
    }
}

/// With `local`.
pub fn in_process<F: Form>(_: Chosen<F>) -> Chosen<F::InProcess> {
    Chosen(PhantomData)
}

/// With `negative_ttl`.
pub fn negative<F: HasNone>(_: Chosen<F>) -> Chosen<F::Negative> {
    Chosen(PhantomData)
}

/// Asks a closure of the attribute, whose argument has its type from here.
pub fn ask<V, X>(value: &V, closure: impl FnOnce(&V) -> X) -> X {
    closure(value)
}

/// The form of a return type.
#[doc(hidden)]
#[macro_export]
macro_rules! __larder_form {
    ($return:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::shape::Pick as _;
        #[allow(clippy::needless_borrow)]
        (&&&$crate::__private::shape::Probe::<$return>::NEW).form()
    }};
}
