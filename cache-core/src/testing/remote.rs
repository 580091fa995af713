//! A wrapper with a remote backend's shape: every reply is pending, every value passes through a codec.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::cache::Cache;
use crate::deadline::Lifetime;
use crate::entry::{Entry, Set, Stored, Tier, Usage};
use crate::fence::Fence;
use crate::reply::Reply;
use crate::target::{Strength, Target};
use crate::value::{Kind, Value};

/// Wraps a backend so that it looks like a remote one: it holds bytes, answers `Pending` to everything and is
/// polled more than once for each answer.
#[derive(Debug)]
pub struct Remote<C>(Arc<C>);

impl<C: Cache> Remote<C> {
    /// The wrapper around `cache`.
    pub fn new(cache: C) -> Self {
        Self(Arc::new(cache))
    }
}

/// Pending once, as if something had to come over a network.
#[derive(Default)]
struct Hop(bool);

impl Future for Hop {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// What was done at once is answered late.
fn late<'a, T: Send + 'a>(reply: Reply<'a, T>) -> Reply<'a, T> {
    Reply::Pending(Box::pin(async move {
        Hop::default().await;
        reply.await
    }))
}

#[deny(clippy::missing_trait_methods)]
impl<C: Cache> Cache for Remote<C> {
    fn fresh(&self, _: &str) -> Option<Value> {
        None
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        late(self.0.get(key, Kind::of::<Bytes>()).and_then(move |entry| {
            let Some(mut entry) = entry else { return Ok(None) };
            entry.tier = Tier::L2;
            // A counter is a plain integer, there as here.
            if entry.value.as_integer().is_none() {
                entry.value = decoded(entry.value, kind)?;
            }
            Ok(Some(entry))
        }))
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        late(self.0.ttl(key))
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        if value.as_integer().is_some() {
            return late(self.0.set(key, value, options));
        }
        match value.encode() {
            Ok(bytes) => {
                let bytes = Bytes { kind: value.kind().name().to_owned(), bytes };
                late(self.0.set(key, Value::new(Arc::new(bytes)), options))
            }
            // As an explicit write that cannot be done: the old value must not stay in its place.
            Err(error) => {
                let deleted = self.0.delete(key);
                late(deleted.and_then(move |_| Err(error)))
            }
        }
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        late(self.0.delete(key))
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        late(self.0.invalidate(target, strength))
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        late(self.0.expire(key, ttl))
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        late(self.0.incr(key, delta, lifetime))
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        late(self.0.fence(key))
    }

    fn release(&self, key: &str, fence: Fence) {
        self.0.release(key, fence);
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        late(self.0.troubles())
    }

    fn close(&self, within: Duration) -> Reply<'_, u64> {
        late(self.0.close(within))
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }
}

/// An encoded value and the name of its kind.
#[derive(serde::Serialize, serde::Deserialize)]
struct Bytes {
    kind: String,
    bytes: Vec<u8>,
}

/// The value of `kind`, or, if it is of another kind, what is there: the caller tells a mismatch by it.
fn decoded(value: Value, kind: &'static Kind) -> crate::Result<Value> {
    let bytes = value.clone().downcast::<Bytes>();
    match bytes {
        Ok(bytes) if bytes.kind == kind.name() => kind.decode(&bytes.bytes),
        _ => Ok(value),
    }
}
