//! The wrapper around a program's cache while it is checked: every operation can be held, and is noted down.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::here::{self, Deed, Place};
use super::pause::point;
use crate::cache::Cache;
use crate::connection::Connection;
use crate::deadline::Lifetime;
use crate::entry::{Entry, Set, Stored, Usage};
use crate::fence::Fence;
use crate::lease::{Ended, Lease};
use crate::listener::{Listener, Notices};
use crate::reply::Reply;
use crate::target::{Named, Strength, Target};
use crate::token::Token;
use crate::value::{Kind, Value};

/// A cache under watch. Calls from outside the check go straight through.
struct Watched {
    cache: Arc<dyn Cache>,
    number: usize,
}

/// Puts a cache that is built by a program under check under watch; any other stays as it is.
pub(crate) fn watched(cache: Arc<dyn Cache>) -> Arc<dyn Cache> {
    match here::here() {
        Some(here) => Arc::new(Watched { number: here.session.admit(cache.clone()), cache }),
        None => cache,
    }
}

impl Watched {
    fn hit(&self, key: &str) {
        here::note(|| Deed::Hit { cache: self.number, key: key.into() });
    }

    fn struck(&self, target: impl Into<Named>) {
        let cache = self.number;
        here::note(|| Deed::Struck { cache, target: target.into() });
    }

    fn read<'a>(
        &'a self,
        key: &str,
        read: impl FnOnce(&str) -> Reply<'a, Option<Entry>> + Send + 'a,
    ) -> Reply<'a, Option<Entry>> {
        if !here::is_watched() {
            return read(key);
        }
        let key: Box<str> = key.into();
        Reply::Pending(Box::pin(async move {
            point(Place::Read).await;
            read(&key).await.inspect(|found| {
                if found.is_some() {
                    self.hit(&key);
                }
            })
        }))
    }

    /// What was done at once, as the contract wants it, is answered late.
    fn late<'a, T: Send + 'a>(&self, reply: Reply<'a, T>) -> Reply<'a, T> {
        if !here::is_watched() {
            return reply;
        }
        Reply::Pending(Box::pin(async move {
            let answer = reply.await;
            point(Place::Wrote).await;
            answer
        }))
    }

    /// Stores what a load has loaded; nobody drops that reply and relies on it, so it can be held before, too.
    async fn publish(
        &self,
        key: Box<str>,
        value: Value,
        tags: Vec<Box<str>>,
        options: Set<'_>,
    ) -> crate::Result<Stored> {
        point(Place::Publish).await;
        let stored = self.cache.set(&key, value, Set { tags: &tags, ..options }).await;
        if let Ok(Stored::Yes) = stored {
            here::note(|| Deed::Stored { cache: self.number, key, tags, fenced: true });
        }
        point(Place::Published).await;
        stored
    }
}

#[deny(clippy::missing_trait_methods)]
impl Cache for Watched {
    fn fresh(&self, key: &str) -> Option<Value> {
        self.cache.fresh(key).inspect(|_| self.hit(key))
    }

    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.read(key, move |key| self.cache.get(key, kind))
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.read(key, move |key| self.cache.confirmed(key, kind))
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.cache.ttl(key)
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        if !here::is_watched() {
            return self.cache.set(key, value, options);
        }
        let tags = options.tags.to_vec();
        if options.fence.is_some() {
            let options = Set { tags: &[], ..options };
            return Reply::Pending(Box::pin(self.publish(key.into(), value, tags, options)));
        }
        let reply = self.cache.set(key, value, options);
        self.struck(Target::Key(key));
        here::note(|| Deed::Stored { cache: self.number, key: key.into(), tags, fenced: false });
        self.late(reply)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        let reply = self.cache.delete(key);
        self.struck(Target::Key(key));
        self.late(reply)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        let reply = self.cache.invalidate(target, strength);
        self.struck(target);
        self.late(reply)
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.late(self.cache.expire(key, ttl))
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        let reply = self.cache.incr(key, delta, lifetime);
        self.struck(Target::Key(key));
        self.late(reply)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        if !here::is_watched() {
            return self.cache.fence(key);
        }
        let key: Box<str> = key.into();
        Reply::Pending(Box::pin(async move {
            point(Place::Fence).await;
            let fence = self.cache.fence(&key).await;
            point(Place::Load).await;
            fence
        }))
    }

    fn lease(&self, key: &str, retrying: bool) -> Reply<'_, Lease> {
        if !here::is_watched() {
            return self.cache.lease(key, retrying);
        }
        let key: Box<str> = key.into();
        Reply::Pending(Box::pin(async move {
            point(Place::Fence).await;
            let lease = self.cache.lease(&key, retrying).await;
            point(Place::Load).await;
            lease
        }))
    }

    fn release(&self, key: &str, fence: Fence) {
        self.cache.release(key, fence);
    }

    fn settle(&self, key: &str, fence: Fence, ended: Ended) {
        self.cache.settle(key, fence, ended);
    }

    fn listen(&self, listener: Weak<dyn Listener>) -> Notices {
        self.cache.listen(listener)
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        self.cache.acknowledged()
    }

    fn token(&self) -> Reply<'_, Token> {
        self.cache.token()
    }

    fn read_after(&self, token: &Token) -> Reply<'_, ()> {
        self.cache.read_after(token)
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        self.cache.troubles()
    }

    fn remote(&self) -> Option<Connection> {
        self.cache.remote()
    }

    fn close(&self, within: Duration) -> Reply<'_, u64> {
        self.cache.close(within)
    }

    fn usage(&self) -> Usage {
        self.cache.usage()
    }
}
