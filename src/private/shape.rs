//! How a cached function's value travels: out of its return type into the cache, and back. Whether a return
//! type is a `Result`, an `Option` or an `Arc` is told by type, never by spelling, so aliases of them are
//! what they stand for.
//!
//! [`__larder_shape!`](crate::__larder_shape) asks a [`Probe`] of the type. It must be asked where the type
//! is known, so the macro expands in the cached function; what it expands to is a choice among the [`Form`]s
//! here.

use std::{marker::PhantomData, sync::Arc};

use cache_core::Loaded;
use cache_core::private::{Shape, Share};

/// One way of caching a return type.
pub trait Form {
    /// What the function returns.
    type Return;
    /// What the cache holds of it.
    type Value;
    /// What every hit clones: the value, or nothing.
    type Cloned;
    /// The value as the closures of the attribute see it.
    type Seen;

    /// What to cache, or else what to hand to the caller alone.
    fn split(returned: Self::Return) -> Result<Arc<Self::Value>, Self::Return>;

    /// The value in what was returned, if there is one.
    fn seen(returned: &Self::Return) -> Option<&Self::Seen>;

    /// What to return for a cached value.
    fn join(value: Arc<Self::Value>) -> Self::Return
    where
        Self::Cloned: Clone;
}

/// `T`: a hit is a clone.
pub struct Owned<T>(PhantomData<T>);

impl<T> Form for Owned<T> {
    type Return = T;
    type Value = T;
    type Cloned = T;
    type Seen = T;

    #[inline]
    fn split(returned: T) -> Result<Arc<T>, T> {
        Ok(Arc::new(returned))
    }

    fn seen(returned: &T) -> Option<&T> {
        Some(returned)
    }

    #[inline]
    fn join(value: Arc<T>) -> T
    where
        T: Clone,
    {
        // The cache holds it too, so there is no use in asking whether this `Arc` is the last.
        T::clone(&value)
    }
}

/// `Arc<T>`: the cache holds that very `Arc`.
pub struct Shared<T>(PhantomData<T>);

impl<T> Form for Shared<T> {
    type Return = Arc<T>;
    type Value = T;
    type Cloned = ();
    type Seen = T;

    #[inline]
    fn split(returned: Arc<T>) -> Result<Arc<T>, Arc<T>> {
        Ok(returned)
    }

    fn seen(returned: &Arc<T>) -> Option<&T> {
        Some(returned)
    }

    #[inline]
    fn join(value: Arc<T>) -> Arc<T> {
        value
    }
}

/// `Option` of another form: `None` is not cached.
pub struct Maybe<F>(PhantomData<F>);

impl<F: Form> Form for Maybe<F> {
    type Return = Option<F::Return>;
    type Value = F::Value;
    type Cloned = F::Cloned;
    type Seen = F::Seen;

    #[inline]
    fn split(returned: Self::Return) -> Result<Arc<F::Value>, Self::Return> {
        returned.ok_or(None).and_then(|value| F::split(value).map_err(Some))
    }

    fn seen(returned: &Self::Return) -> Option<&F::Seen> {
        returned.as_ref().and_then(F::seen)
    }

    #[inline]
    fn join(value: Arc<F::Value>) -> Self::Return
    where
        F::Cloned: Clone,
    {
        Some(F::join(value))
    }
}

/// `Result` of another form: `Err` is not cached.
pub struct Fallible<F, E>(PhantomData<(F, E)>);

impl<F: Form, E> Form for Fallible<F, E> {
    type Return = Result<F::Return, E>;
    type Value = F::Value;
    type Cloned = F::Cloned;
    type Seen = F::Seen;

    #[inline]
    fn split(returned: Self::Return) -> Result<Arc<F::Value>, Self::Return> {
        returned.map_err(Err).and_then(|value| F::split(value).map_err(Ok))
    }

    fn seen(returned: &Self::Return) -> Option<&F::Seen> {
        returned.as_ref().ok().and_then(F::seen)
    }

    #[inline]
    fn join(value: Arc<F::Value>) -> Self::Return
    where
        F::Cloned: Clone,
    {
        Ok(F::join(value))
    }
}

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
/// another for what it lacks: what that is [`shape`] says, and the call that is given the shape.
pub trait Pick: Sized {
    type Form;

    fn form(self) -> Chosen<Self::Form> {
        Chosen(PhantomData)
    }
}

impl<T> Pick for Probe<T> {
    type Form = Owned<T>;
}

impl<T> Pick for &Probe<Option<T>> {
    type Form = Maybe<Owned<T>>;
}

impl<T, E> Pick for &Probe<Result<T, E>> {
    type Form = Fallible<Owned<T>, E>;
}

impl<T, E> Pick for &&Probe<Result<Option<T>, E>> {
    type Form = Fallible<Maybe<Owned<T>>, E>;
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

/// `Clone`, with a word on why.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`, but a cached function that returns it by value clones it on every hit",
    label = "not `Clone`",
    note = "derive `Clone` for it, or return `Arc<{Self}>`, which a hit shares"
)]
pub trait HandedOut: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> HandedOut for T {}

/// The shape for what was probed.
#[inline]
pub fn shape<F: Form>(_: Chosen<F>, share: Option<Share<F::Return>>) -> Shape<F::Value, F::Return>
where
    F::Cloned: HandedOut,
{
    Shape { split: |returned| F::split(returned).map(Loaded::from), join: F::join, share }
}

/// The [`Chosen`] form of a return type.
#[doc(hidden)]
#[macro_export]
macro_rules! __larder_form {
    ($return:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::shape::Pick as _;
        let probe = $crate::__private::shape::Probe::<$return>::NEW;
        #[allow(clippy::needless_borrow)]
        let chosen = (&&&probe).form();
        chosen
    }};
}

/// The [`Shape`] of a return type.
#[doc(hidden)]
#[macro_export]
macro_rules! __larder_shape {
    ($return:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::shape::{Alone as _, Pick as _};
        let probe = $crate::__private::shape::Probe::<$return>::NEW;
        #[allow(clippy::needless_borrow)]
        let chosen = (&&&probe).form();
        $crate::__private::shape::shape(chosen, probe.share())
    }};
}
