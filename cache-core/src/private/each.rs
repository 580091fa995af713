//! What batches are made of.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::made;
use crate::engine::{Compute, Engine, LoadPolicy, each};
use crate::key::Key;
use crate::reply::Reply;
use crate::value::Cacheable;

/// One element of a batch, and its key.
#[derive(Clone)]
pub(super) struct Element<I> {
    key: Key,
    id: I,
}

impl<I> AsRef<str> for Element<I> {
    fn as_ref(&self) -> &str {
        &self.key
    }
}

/// How what a batched function returns is taken apart.
type Open<R, M, E> = fn(R) -> Result<M, E>;
/// How its values become those of the cache.
type Shares<V, T> = fn(V) -> Arc<T>;

/// What a batched function is about, and how its elements are told apart.
pub struct Elements<I> {
    elements: Vec<Element<I>>,
    name: fn(&I) -> Key,
}

impl<I: Clone> Elements<I> {
    /// Each once. `key` makes the keys, of the other arguments too; `name` of the element alone.
    pub fn new(ids: impl Iterator<Item = I>, key: impl Fn(&I) -> Key, name: fn(&I) -> Key) -> Self {
        let mut seen = HashSet::new();
        let elements = ids.map(|id| Element { key: key(&id), id });
        Self { elements: elements.filter(|element| seen.insert(element.key.clone())).collect(), name }
    }

    /// Those whose values are there or can be loaded. `run` is the function's body, for those that are missing; `open`
    /// takes what it returns apart, and
    /// `share` makes its values those of the cache.
    pub async fn load<T, V, R, E, M, P, L>(
        self,
        cache: &Engine,
        policy: P,
        mut run: impl FnMut(Vec<I>) -> L,
        (open, share): (Open<R, M, E>, Shares<V, T>),
        blocking: bool,
    ) -> Result<Vec<(I, Arc<T>)>, E>
    where
        T: Cacheable,
        E: 'static,
        M: IntoIterator<Item = (I, V)>,
        P: LoadPolicy<Keyed<L, I, R, M, E, V, T>>,
        L: Future<Output = R>,
    {
        let Self { elements, name } = self;
        let loader = |missing: Vec<Element<I>>| {
            let keys = missing.iter().map(|element| (name(&element.id), element.key.clone())).collect();
            let ids = missing.into_iter().map(|element| element.id).collect();
            Keyed { run: Box::pin(run(ids)), keys, name, open, share }
        };
        let values = cache
            .load_each::<T, Arc<T>, E, _, Key, Vec<(Key, Arc<T>)>, P, _>(
                elements.clone(),
                policy,
                loader,
                blocking,
            )
            .await?;
        Ok(elements
            .into_iter()
            .zip(values)
            .filter_map(|(element, value)| Some((element.id, value?)))
            .collect())
    }
}

/// A run of the body, whose results are given their keys.
pub struct Keyed<L, I, R, M, E, V, T> {
    run: Pin<Box<L>>,
    /// By the element's own name: what comes back need not be what was asked for in any other way.
    keys: HashMap<Key, Key>,
    name: fn(&I) -> Key,
    open: Open<R, M, E>,
    share: Shares<V, T>,
}

impl<L, I, R, M, E, V, T> Future for Keyed<L, I, R, M, E, V, T>
where
    L: Future<Output = R>,
    M: IntoIterator<Item = (I, V)>,
{
    type Output = Result<Vec<(Key, Arc<T>)>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let returned = ready!(self.run.as_mut().poll(cx));
        let Self { keys, name, open, share, .. } = &*self;
        let keyed = |(id, value)| {
            let name = name(&id);
            (keys.get(&name).cloned().unwrap_or_else(|| unasked(&name)), share(value))
        };
        Poll::Ready(open(returned).map(|found| found.into_iter().map(keyed).collect()))
    }
}

/// The key of what was not asked for, which is no key: so it is told of, and reaches nobody.
fn unasked(name: &str) -> Key {
    made(|key| {
        key.text(name);
        key.text("\0");
    })
}

/// A synchronous body, as the future that runs it.
pub fn compute<F>(run: F) -> Compute<F> {
    Compute::new(run)
}

/// Invalidates each of `keys`, with a reply that does not borrow the cache.
pub fn invalidate_each(cache: &Engine, keys: Vec<Key>) -> Reply<'static, ()> {
    let all = |cache: &Engine| match each(keys.iter().map(|key| cache.invalidate(key)).collect()) {
        Reply::Ready(answers) => Some(answers.and_then(|answers| answers.into_iter().collect())),
        _ => None,
    };
    if let Some(answer) = all(cache) {
        return cache.acknowledgeable(Reply::Ready(answer));
    }
    // Under way already; asked again by a future that owns the cache, for its answer.
    let owned = cache.clone();
    cache.acknowledgeable(Reply::Pending(Box::pin(async move {
        each(keys.iter().map(|key| owned.invalidate(key)).collect()).await?.into_iter().collect()
    })))
}
