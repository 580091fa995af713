//! [`Memory`] as a [`Cache`]: every reply is ready.

use std::sync::{Arc, Weak};
use std::time::Duration;

use cache_core::{
    Cache, Connection, Deadlines, Ended, Entry, Fence, Kind, Lease, Lifetime, Listener, Notices, Pattern,
    Reply, Set, Stored, Strength, Target, Time, Token, Usage, Value, counter,
};

use crate::admission::{INCARNATION, admit, unfenced};
use crate::departure::{Departed, RemovalCause};
use crate::memory::{Memory, NoRoom, Store};
use crate::policy::{Id, S3Fifo};
use crate::shard::Shard;
use crate::weigh::COUNTER;

/// A key under its shard's lock.
struct At {
    hash: u64,
    found: Option<Id>,
    now: Time,
}

impl Store {
    /// Looks `key` up, and goes on with its slot under the shard's lock. What is thrown out, by the lookup or by
    /// `then`, goes to `out`.
    fn with<R>(
        &self,
        key: &str,
        hit: bool,
        out: &mut Departed,
        then: impl FnOnce(&mut Shard<S3Fifo>, At, &mut Departed) -> R,
    ) -> R {
        let (hash, now) = (self.hash(key), self.clock.now());
        let mut shard = self.shard(hash);
        let found = shard.lookup((hash, key.as_bytes()), (&self.marks, now), hit, out);
        then(&mut shard, At { hash, found, now }, out)
    }

    /// The same for what needs no room: what was thrown out is settled at once.
    fn visit<R>(
        &self,
        key: &str,
        hit: bool,
        then: impl FnOnce(&mut Shard<S3Fifo>, At, &mut Departed) -> R,
    ) -> R {
        let mut out = self.departed();
        let result = self.with(key, hit, &mut out, then);
        self.settle(out);
        result
    }

    /// The same for what stores something of this weight: where its shard has no room (`Err`), others make it, and
    /// it is tried again.
    fn store<R>(
        &self,
        key: &str,
        weight: u32,
        mut attempt: impl FnMut(&mut Shard<S3Fifo>, At, &mut Departed) -> Result<R, NoRoom>,
    ) -> R {
        let mut out = self.departed();
        let result = loop {
            match self.with(key, false, &mut out, &mut attempt) {
                Ok(result) => break result,
                Err(NoRoom) => self.make_room(weight, &mut out),
            }
        };
        self.settle(out);
        result
    }

    /// Stores what `value` holds if `options` allow it; what is not stored stays there.
    fn try_set(
        &self,
        (shard, at, out): (&mut Shard<S3Fifo>, At, &mut Departed),
        (key, value): (&str, &mut Option<Value>),
        weight: Option<u32>,
        options: &Set<'_>,
    ) -> Result<Stored, NoRoom> {
        let At { hash, mut found, now } = at;
        if options.if_absent && found.is_some_and(|id| shard.is_fresh(id, now)) {
            return Ok(Stored::Exists);
        }
        if options.if_absent && weight.is_none() {
            // Not "yes": who asks so wants to be the only one, and nothing would tell the next that it is not.
            return Ok(Stored::Exists);
        }
        // Room first: to be admitted uses up the fence.
        let room = match weight {
            Some(weight) => Some((weight, self.take_room(shard, &mut found, (hash, key), weight, out)?)),
            None => None,
        };
        let admitted =
            value.take().map(|value| admit(&self.marks, &mut shard.fences, (hash, key, now), value, options));
        match (admitted, room) {
            (Some(Ok(stored)), Some((weight, _))) => {
                shard.store((hash, key.as_bytes()), found, stored, weight, out);
            }
            (Some(Ok(stored)), None) => {
                *value = Some(stored.value);
                shard.evict_at_once(found, out);
            }
            (Some(Err(refused)), room) => {
                *value = Some(refused);
                out.room.add(room.map(|(_, room)| room).unwrap_or_default());
                return Ok(Stored::Fenced);
            }
            (None, _) => {}
        }
        Ok(Stored::Yes)
    }

    fn mark_key_stale(&self, key: &str) {
        self.visit(key, false, |shard, At { hash, found, now }, _| {
            shard.fences.mark_stale(hash);
            if let Some(id) = found {
                let deadlines = shard.deadlines(id);
                let fresh_until = deadlines.fresh_until.min(now);
                shard.set_deadlines(id, Deadlines { fresh_until, ..deadlines });
            }
        });
    }

    fn remove(&self, key: &str, cause: RemovalCause) -> bool {
        self.visit(key, false, |shard, At { hash, found, .. }, out| {
            shard.fences.void(hash);
            found.is_some_and(|id| shard.remove(id, cause, out))
        })
    }

    fn mark_pattern(&self, pattern: Option<Pattern>, strength: Strength) {
        let everything = pattern.is_none() && strength == Strength::Remove;
        self.marks.mark_pattern(pattern, strength);
        if everything {
            self.clear();
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Cache for Memory {
    #[inline]
    fn fresh(&self, key: &str) -> Option<Value> {
        let store = &*self.0;
        let hash = store.hash(key);
        store.shard(hash).fresh(hash, key.as_bytes(), &store.marks, &store.clock)
    }

    fn get(&self, key: &str, _: &'static Kind) -> Reply<'_, Option<Entry>> {
        let store = &*self.0;
        let (hash, mut out) = (store.hash(key), store.departed());
        let mut shard = store.shard(hash);
        if shard.find(hash, key.as_bytes()).is_none() {
            // What is not there needs no clock.
            return Reply::ready(None);
        }
        let now = store.clock.now();
        let found = shard.lookup((hash, key.as_bytes()), (&store.marks, now), true, &mut out);
        let entry = found.and_then(|id| shard.entry(id, now));
        drop(shard);
        store.settle(out);
        Reply::ready(entry)
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.get(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        let left =
            |shard: &mut Shard<_>, at: At, _: &mut _| at.found.map(|id| shard.deadlines(id).left(at.now));
        Reply::ready(self.0.visit(key, false, left))
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        let store = &*self.0;
        let weight = store.weigh(&value);
        // What is not stored is dropped when the lock is free.
        let mut value = Some(value);
        Reply::ready(store.store(key, weight.unwrap_or(1), |shard, at, out| {
            store.try_set((shard, at, out), (key, &mut value), weight, &options)
        }))
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        Reply::ready(self.0.remove(key, RemovalCause::Deleted))
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        match (target, strength) {
            (Target::Key(key), Strength::Remove) => {
                self.0.remove(key, RemovalCause::Invalidated);
            }
            (Target::Key(key), Strength::MarkStale) => self.0.mark_key_stale(key),
            (Target::Tag(tag), _) => self.0.marks.mark_tag(tag, strength),
            (Target::All, _) => self.0.mark_pattern(None, strength),
            (Target::Pattern(pattern), _) => match Pattern::new(pattern) {
                Ok(pattern) => self.0.mark_pattern(Some(pattern), strength),
                Err(error) => return Reply::error(error),
            },
        }
        Reply::ready(())
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        Reply::ready(self.0.visit(key, false, |shard, At { found, now, .. }, _| {
            let Some(id) = found.filter(|id| shard.is_fresh(*id, now)) else { return false };
            let deadlines = shard.deadlines(id).with_ttl(now, ttl);
            shard.set_deadlines(id, deadlines);
            true
        }))
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        let store = &*self.0;
        Reply::Ready(store.store(key, COUNTER, |shard, At { hash, mut found, now }, out| {
            shard.fences.void(hash);
            let fresh = found.filter(|id| shard.is_fresh(*id, now));
            if let Some((id, held)) = fresh.and_then(|id| Some((id, shard.value(id)?))) {
                // Of the same weight; and nothing of the user's is dropped, for only a counter is replaced.
                let sum = counter::add(key, held, delta);
                return Ok(sum.inspect(|sum| drop(shard.replace_value(id, Value::new(Arc::new(*sum))))));
            }
            store.take_room(shard, &mut found, (hash, key), COUNTER, out)?;
            let (value, options) = (Value::new(Arc::new(delta)), Set::new(lifetime));
            let stored = unfenced(&store.marks, &mut shard.fences, (hash, now), value, &options);
            shard.store((hash, key.as_bytes()), found, stored, COUNTER, out);
            Ok(Ok(delta))
        }))
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        let hash = self.0.hash(key);
        let mut shard = self.0.shard(hash);
        // Under the lock: a sweep that has passed this shard has begun before this order.
        let sequence = self.0.marks.now();
        let lease = shard.fences.take(hash, sequence);
        Reply::ready(Fence { incarnation: INCARNATION, sequence, lease })
    }

    fn lease(&self, key: &str, _: bool) -> Reply<'_, Lease> {
        self.fence(key).map(Lease::Mine)
    }

    fn release(&self, key: &str, _: Fence) {
        let hash = self.0.hash(key);
        self.0.shard(hash).fences.release(hash);
    }

    fn settle(&self, key: &str, fence: Fence, _: Ended) {
        self.release(key, fence);
    }

    fn listen(&self, _: Weak<dyn Listener>) -> Notices {
        // A store is one cache's, clones and all.
        Notices::Needless
    }

    fn acknowledged(&self) -> Reply<'_, ()> {
        Reply::ready(())
    }

    fn token(&self) -> Reply<'_, Token> {
        Reply::ready(Token::default())
    }

    fn read_after(&self, _: &Token) -> Reply<'_, ()> {
        Reply::ready(())
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        Reply::ready(Vec::new())
    }

    fn remote(&self) -> Option<Connection> {
        None
    }

    fn close(&self, _: Duration) -> Reply<'_, u64> {
        Reply::ready(0)
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }
}
