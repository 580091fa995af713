//! Batched functions: one call for all that is missing.

use std::future::Future;
use std::sync::Arc;

use cache_core::private::{Elements, Keyed, block_on};
use cache_core::{Cacheable, Compute, Engine, LoadPolicy, Uninterrupted};

use super::form::{Fallible, Form, Number, Owned, Shared};
use super::shape::{Chosen, HandedOut, Probe};

/// How a batched function returns what it found: in a map, or in a `Result` of one.
#[diagnostic::on_unimplemented(
    message = "a function with `each` returns a map from its elements to their values",
    note = "return a `HashMap<K, V>`, `BTreeMap<K, V>` or `Vec<(K, V)>`, or a `Result` of one of them"
)]
pub trait Batch: Form {
    /// What was found.
    type Found: IntoIterator<Item = (Self::Id, Self::Each)> + FromIterator<(Self::Id, Self::Each)>;
    type Id;
    type Each;
    type Error: 'static;

    fn open(returned: Self::Return) -> Result<Self::Found, Self::Error>;
    fn close(found: Result<Self::Found, Self::Error>) -> Self::Return;
}

#[diagnostic::do_not_recommend]
impl<C, K, V> Batch for Owned<C>
where
    C: IntoIterator<Item = (K, V)> + FromIterator<(K, V)>,
{
    type Found = C;
    type Id = K;
    type Each = V;
    type Error = std::convert::Infallible;

    fn open(returned: C) -> Result<C, Self::Error> {
        Ok(returned)
    }

    fn close(found: Result<C, Self::Error>) -> C {
        found.unwrap_or_else(|never| match never {})
    }
}

#[diagnostic::do_not_recommend]
impl<C, K, V, E: 'static> Batch for Fallible<Owned<C>, E>
where
    C: IntoIterator<Item = (K, V)> + FromIterator<(K, V)>,
{
    type Found = C;
    type Id = K;
    type Each = V;
    type Error = E;

    fn open(returned: Result<C, E>) -> Result<C, E> {
        returned
    }

    fn close(found: Result<C, E>) -> Result<C, E> {
        found
    }
}

/// The values of a batch: as they are, or in an `Arc`.
#[diagnostic::on_unimplemented(
    message = "the values of a batch are `T` or `Arc<T>`",
    note = "leave out of the map what is missing, in place of an `Option`; return a `Result` of all, in place of one for each"
)]
pub trait Single: Form {
    fn share(value: Self::Return) -> Arc<Self::Value>;
}

impl<T> Single for Owned<T> {
    fn share(value: T) -> Arc<T> {
        Arc::new(value)
    }
}

impl<T> Single for Shared<T> {
    fn share(value: Arc<T>) -> Arc<T> {
        value
    }
}

impl Single for Number {
    fn share(value: i64) -> Arc<Self::Value> {
        Arc::new(cache_core::private::Number(value))
    }
}

/// The question about the type of the values.
pub fn values<F: Batch>(_form: &Chosen<F>) -> Probe<F::Each> {
    Probe::NEW
}

/// `Clone`, with a word on why.
#[diagnostic::on_unimplemented(
    message = "a function with `each` may run more than once for one call, so its other arguments are cloned, and `{Self}` is not `Clone`",
    label = "not `Clone`",
    note = "take it by reference or in an `Arc`"
)]
pub trait Again: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Again for T {}

/// The argument for one more run.
pub fn again<T: Again>(argument: &T) -> T {
    argument.clone()
}

/// An async function over a batch.
pub async fn each_async<F, S, P, L>(
    cache: &Engine,
    _form: Chosen<F>,
    _values: Chosen<S>,
    elements: Elements<F::Id>,
    policy: P,
    run: impl FnMut(Vec<F::Id>) -> L,
    blocking: bool,
) -> F::Return
where
    F: Batch<Each = S::Return>,
    F::Id: Clone,
    S: Single,
    S::Value: Cacheable,
    S::Cloned: HandedOut,
    P: LoadPolicy<Keyed<L, F::Id, F::Return, F::Found, F::Error, S::Return, S::Value>>,
    L: Future<Output = F::Return>,
{
    let found = elements.load(cache, policy, run, (F::open, S::share), blocking).await;
    F::close(found.map(|found| found.into_iter().map(|(id, value)| (id, S::join(value))).collect()))
}

/// A synchronous function over a batch.
pub fn each_sync<F, S, P, B>(
    cache: &Engine,
    form: Chosen<F>,
    values: Chosen<S>,
    elements: Elements<F::Id>,
    policy: P,
    run: impl FnMut(Vec<F::Id>) -> Compute<B>,
) -> F::Return
where
    F: Batch<Each = S::Return>,
    F::Id: Clone,
    S: Single,
    S::Value: Cacheable,
    S::Cloned: HandedOut,
    P: LoadPolicy<Keyed<Compute<B>, F::Id, F::Return, F::Found, F::Error, S::Return, S::Value>>
        + Uninterrupted,
    B: FnOnce() -> F::Return,
{
    block_on(each_async(cache, form, values, elements, policy, run, true))
}
