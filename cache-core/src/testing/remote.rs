//! A wrapper with a remote backend's shape: every reply is pending, every value passes through a codec.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use crate::cache::Cache;
use crate::connection::Connection;
use crate::deadline::Lifetime;
use crate::entry::{Entry, Set, Stored, Tier, Usage};
use crate::error::Error;
use crate::fence::Fence;
use crate::lease::{Ended, Lease};
use crate::listener::{Listener, Notices};
use crate::reply::Reply;
use crate::target::{Strength, Target};
use crate::token::Token;
use crate::value::{Kind, Local, Value};
use crate::wire::{self, Decoded, Envelope, Format, Header, Order};

/// Wraps a backend so that it looks like a remote one: it holds bytes, answers `Pending` to everything and is
/// polled more than once for each answer.
#[derive(Debug)]
pub struct Remote<C>(Arc<C>, Format);

impl<C: Cache> Remote<C> {
    /// The wrapper around `cache`.
    pub fn new(cache: C) -> Self {
        Self(Arc::new(cache), Format::default())
    }

    /// With another codec, or another limit.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.1 = format;
        self
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

impl<C: Cache> Remote<C> {
    /// What was read of `key` as a value of `kind`.
    fn decoded<'a>(
        &self,
        key: &str,
        kind: &'static Kind,
        read: Reply<'a, Option<Entry>>,
    ) -> Reply<'a, Option<Entry>> {
        let format = self.1;
        let asked = Box::<str>::from(key);
        late(read.and_then(move |entry| {
            let Some(mut entry) = entry else { return Ok(None) };
            entry.tier = Tier::L2;
            let Ok(bytes) = entry.value.clone().downcast::<Bytes>() else {
                // A counter is a plain integer, there as here.
                return Ok(Some(entry));
            };
            let envelope = Envelope::read(&bytes.0)?;
            match envelope.decode(kind, &format)? {
                Decoded::Value(value) => Ok(Some(Entry { value, ..entry })),
                Decoded::OtherShape => Ok(None),
                Decoded::OtherKind => Err(Error::type_mismatch(&asked, envelope.kind(), kind.name())),
            }
        }))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<C: Cache> Cache for Remote<C> {
    fn fresh(&self, _: &str) -> Option<Value> {
        None
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.decoded(key, kind, self.0.get(key, Kind::of::<Bytes>()))
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.decoded(key, kind, self.0.confirmed(key, Kind::of::<Bytes>()))
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        late(self.0.ttl(key))
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        if value.as_integer().is_some() {
            return late(self.0.set(key, value, options));
        }
        let Set { lifetime, origin, tags, .. } = options;
        let header = Header { order: Order::default(), lifetime, origin, tags };
        match wire::encode(&value, &header, &self.1) {
            Ok(bytes) => late(self.0.set(key, Value::new(Arc::new(Local(bytes))), options)),
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

    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        late(self.0.lease(key, retrying))
    }

    fn release(&self, key: &str, fence: Fence) {
        self.0.release(key, fence);
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        self.0.settle(key, fence, ended);
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        self.0.listen(listener)
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        late(self.0.acknowledged())
    }

    fn token(&self) -> Reply<'_, Token> {
        late(self.0.token())
    }

    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        late(self.0.read_after(token))
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        late(self.0.troubles())
    }

    fn remote(&self) -> Option<Connection> {
        self.0.remote()
    }

    fn close(&self, within: Duration) -> Reply<'_, u64> {
        late(self.0.close(within))
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }
}

/// An entry in its wire form.
type Bytes = Local<Vec<u8>>;
