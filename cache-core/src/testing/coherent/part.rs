//! The readers and writers of a program, without their types.

use std::any::Any;
use std::borrow::Borrow;
use std::fmt::Debug;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use super::baton::Baton;
use super::here;

/// What a reader answers, to be compared and shown.
pub(super) trait Answer {
    fn value(&self) -> &dyn Any;
    fn equals(&self, other: &dyn Answer) -> bool;
    fn text(&self) -> String;
}

/// An answer that is, or holds, a `V`.
struct Holds<C, V>(C, PhantomData<fn() -> V>);

impl<C: Borrow<V>, V: PartialEq + Debug + 'static> Answer for Holds<C, V> {
    fn value(&self) -> &dyn Any {
        self.0.borrow()
    }

    fn equals(&self, other: &dyn Answer) -> bool {
        other.value().downcast_ref::<V>().is_some_and(|other| other == self.0.borrow())
    }

    fn text(&self) -> String {
        format!("{:?}", self.0.borrow())
    }
}

pub(super) type Answering = Pin<Box<dyn Future<Output = Box<dyn Answer>>>>;
pub(super) type Body<W> = Box<dyn Fn(Arc<W>, u64) -> Answering>;

/// A reader or a writer.
pub(super) struct Part<W> {
    pub(super) name: Box<str>,
    pub(super) body: Body<W>,
    /// What a reader should answer; a writer has none.
    pub(super) truth: Option<Body<W>>,
}

/// An asynchronous operation.
pub(super) fn polled<W, C, V, F>(body: impl Fn(Arc<W>, u64) -> F + 'static) -> Body<W>
where
    W: 'static,
    C: Borrow<V> + 'static,
    V: PartialEq + Debug + 'static,
    F: Future<Output = C> + 'static,
{
    let body = Arc::new(body);
    Box::new(move |world, argument| {
        let body = body.clone();
        answering::<C, V>(async move { body(world, argument).await })
    })
}

/// `future` with its answer's type forgotten.
pub(super) fn answering<C, V>(future: impl Future<Output = C> + 'static) -> Answering
where
    C: Borrow<V> + 'static,
    V: PartialEq + Debug + 'static,
{
    Box::pin(async move {
        let answer: Box<dyn Answer> = Box::new(Holds::<C, V>(future.await, PhantomData));
        answer
    })
}

/// A synchronous operation, on a thread of its own.
pub(super) fn blocking<W, C, V>(body: impl Fn(&W, u64) -> C + Send + Sync + 'static) -> Body<W>
where
    W: Send + Sync + 'static,
    C: Borrow<V> + Send + 'static,
    V: PartialEq + Debug + 'static,
{
    let body = Arc::new(body);
    Box::new(move |world, argument| {
        let body = body.clone();
        answering::<C, V>(async move {
            // The check polls nothing but as somebody.
            let here = here::here().unwrap_or_else(|| unreachable!("a check is under way"));
            Baton::new(here, move || body(&world, argument)).await
        })
    })
}
