//! The ways of caching a return type: what the cache holds of it, and how it comes out again.

use std::{marker::PhantomData, sync::Arc};

use cache_core::private::{self, OrNone};
use cache_core::{Loaded, Local};

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
    /// The same in this process only (`local`).
    type InProcess: Form<Return = Self::Return>;
    /// The same, with `None` cached as well (`negative_ttl`).
    type Negative: Form<Return = Self::Return>;
    /// An `Option` of this, cached whether it is `Some` or `None`.
    type OrNone: Form<Return = Option<Self::Return>>;

    /// What to cache, or else what to hand to the caller alone.
    fn split(returned: Self::Return) -> Result<Loaded<Self::Value>, Self::Return>;

    /// What to return for a cached value.
    fn join(value: Arc<Self::Value>) -> Self::Return
    where
        Self::Cloned: Clone;

    /// The value in what was returned, if there is one.
    fn seen(returned: &Self::Return) -> Option<&Self::Seen>;

    /// Whether the function failed.
    fn failed(_: &Self::Return) -> bool {
        false
    }
}

/// `T`: a hit is a clone.
pub struct Owned<T>(PhantomData<T>);

impl<T> Form for Owned<T> {
    type Return = T;
    type Value = T;
    type Cloned = T;
    type Seen = T;
    type InProcess = Kept<T>;
    type Negative = Self;
    type OrNone = Owned<Option<T>>;

    #[inline]
    fn split(returned: T) -> Result<Loaded<T>, T> {
        Ok(Loaded::new(returned))
    }

    #[inline]
    fn join(value: Arc<T>) -> T
    where
        T: Clone,
    {
        // The cache holds it too, so there is no use in asking whether this `Arc` is the last.
        T::clone(&value)
    }

    fn seen(returned: &T) -> Option<&T> {
        Some(returned)
    }
}

/// `i64`: a value like any other, and no counter.
pub struct Number;

impl Form for Number {
    type Return = i64;
    type Value = private::Number;
    type Cloned = ();
    type Seen = i64;
    type InProcess = Kept<i64>;
    type Negative = Self;
    type OrNone = Owned<Option<i64>>;

    #[inline]
    fn split(returned: i64) -> Result<Loaded<private::Number>, i64> {
        Ok(Loaded::new(private::Number(returned)))
    }

    #[inline]
    fn join(value: Arc<private::Number>) -> i64 {
        value.0
    }

    fn seen(returned: &i64) -> Option<&i64> {
        Some(returned)
    }
}

/// `Arc<T>`: the cache holds that very `Arc`.
pub struct Shared<T>(PhantomData<T>);

impl<T> Form for Shared<T> {
    type Return = Arc<T>;
    type Value = T;
    type Cloned = ();
    type Seen = T;
    type InProcess = Kept<Arc<T>>;
    type Negative = Self;
    type OrNone = SharedOrNone<T>;

    #[inline]
    fn split(returned: Arc<T>) -> Result<Loaded<T>, Arc<T>> {
        Ok(Loaded::from(returned))
    }

    #[inline]
    fn join(value: Arc<T>) -> Arc<T> {
        value
    }

    fn seen(returned: &Arc<T>) -> Option<&T> {
        Some(returned)
    }
}

/// `Option<Arc<T>>`, cached whichever it is.
pub struct SharedOrNone<T>(PhantomData<T>);

impl<T> Form for SharedOrNone<T> {
    type Return = Option<Arc<T>>;
    type Value = OrNone<T>;
    type Cloned = ();
    type Seen = T;
    type InProcess = KeptOrNone<Arc<T>>;
    type Negative = Self;
    type OrNone = Maybe<Self>;

    fn split(returned: Self::Return) -> Result<Loaded<OrNone<T>>, Self::Return> {
        Ok(Loaded::new(OrNone(returned)))
    }

    #[inline]
    fn join(value: Arc<OrNone<T>>) -> Self::Return {
        value.0.clone()
    }

    fn seen(returned: &Self::Return) -> Option<&T> {
        returned.as_deref()
    }
}

/// Anything that can be cloned, in a [`Local`].
pub struct Kept<T>(PhantomData<T>);

impl<T> Form for Kept<T> {
    type Return = T;
    type Value = Local<T>;
    type Cloned = T;
    type Seen = T;
    type InProcess = Self;
    type Negative = Self;
    type OrNone = KeptOrNone<T>;

    fn split(returned: T) -> Result<Loaded<Local<T>>, T> {
        Ok(Loaded::new(Local(returned)))
    }

    #[inline]
    fn join(value: Arc<Local<T>>) -> T
    where
        T: Clone,
    {
        value.0.clone()
    }

    fn seen(returned: &T) -> Option<&T> {
        Some(returned)
    }
}

/// An `Option` in a [`Local`], cached whichever it is. That it is `None` has to be said, since it has no other word
/// for it.
pub struct KeptOrNone<T>(PhantomData<T>);

impl<T> Form for KeptOrNone<T> {
    type Return = Option<T>;
    type Value = Local<Option<T>>;
    type Cloned = T;
    type Seen = T;
    type InProcess = Self;
    type Negative = Self;
    type OrNone = Maybe<Self>;

    fn split(returned: Option<T>) -> Result<Loaded<Local<Option<T>>>, Option<T>> {
        let negative = returned.is_none();
        Ok(Loaded::new(Local(returned)).negative(negative))
    }

    #[inline]
    fn join(value: Arc<Local<Option<T>>>) -> Option<T>
    where
        T: Clone,
    {
        value.0.clone()
    }

    fn seen(returned: &Option<T>) -> Option<&T> {
        returned.as_ref()
    }
}

/// `Option` of another form: `None` is not cached.
pub struct Maybe<F>(PhantomData<F>);

impl<F: Form> Form for Maybe<F> {
    type Return = Option<F::Return>;
    type Value = F::Value;
    type Cloned = F::Cloned;
    type Seen = F::Seen;
    type InProcess = Maybe<F::InProcess>;
    type Negative = F::OrNone;
    type OrNone = Maybe<Self>;

    #[inline]
    fn split(returned: Self::Return) -> Result<Loaded<F::Value>, Self::Return> {
        returned.ok_or(None).and_then(|value| F::split(value).map_err(Some))
    }

    #[inline]
    fn join(value: Arc<F::Value>) -> Self::Return
    where
        F::Cloned: Clone,
    {
        Some(F::join(value))
    }

    fn seen(returned: &Self::Return) -> Option<&F::Seen> {
        returned.as_ref().and_then(F::seen)
    }

    fn failed(returned: &Self::Return) -> bool {
        returned.as_ref().is_some_and(F::failed)
    }
}

/// `Result` of another form: `Err` is not cached.
pub struct Fallible<F, E>(PhantomData<(F, E)>);

impl<F: Form, E> Form for Fallible<F, E> {
    type Return = Result<F::Return, E>;
    type Value = F::Value;
    type Cloned = F::Cloned;
    type Seen = F::Seen;
    type InProcess = Fallible<F::InProcess, E>;
    type Negative = Fallible<F::Negative, E>;
    type OrNone = Maybe<Self>;

    #[inline]
    fn split(returned: Self::Return) -> Result<Loaded<F::Value>, Self::Return> {
        returned.map_err(Err).and_then(|value| F::split(value).map_err(Ok))
    }

    #[inline]
    fn join(value: Arc<F::Value>) -> Self::Return
    where
        F::Cloned: Clone,
    {
        Ok(F::join(value))
    }

    fn seen(returned: &Self::Return) -> Option<&F::Seen> {
        returned.as_ref().ok().and_then(F::seen)
    }

    fn failed(returned: &Self::Return) -> bool {
        returned.as_ref().map_or(true, F::failed)
    }
}

/// The forms of which something can be missing.
#[diagnostic::on_unimplemented(
    message = "`negative_ttl` is how long \"there is none\" is cached, but this function always returns something",
    label = "neither an `Option` nor a `Result` of one",
    note = "remove `negative_ttl`, or return an `Option`"
)]
pub trait HasNone: Form {}

#[diagnostic::do_not_recommend]
impl<T> HasNone for Maybe<Owned<T>> {}
#[diagnostic::do_not_recommend]
impl<T> HasNone for Maybe<Shared<T>> {}
#[diagnostic::do_not_recommend]
impl HasNone for Maybe<Number> {}
#[diagnostic::do_not_recommend]
impl<F: HasNone, E> HasNone for Fallible<F, E> {}
