//! [`Memory`] as a [`Cache`]: every reply is ready.

use std::sync::Arc;
use std::time::Duration;

use cache_core::{
    Cache, Deadlines, Entry, Fence, Kind, Lifetime, Pattern, Reply, Set, Strength, Target, Time, Usage,
    Value, counter,
};

use crate::admission::{INCARNATION, admit, unfenced};
use crate::memory::{Memory, Store};
use crate::policy::{Id, S3Fifo};
use crate::shard::{Lookup, Shard};

impl Store {
    /// Looks `key` up, and goes on with its slot under the shard's lock. What is thrown out, by the lookup or by
    /// `then`, is dropped after the lock.
    fn with<R>(
        &self,
        key: &str,
        hit: bool,
        then: impl FnOnce(&mut Shard<S3Fifo>, u64, Option<Id>, Time) -> (R, Option<Value>),
    ) -> R {
        let (hash, now) = (self.hash(key), self.clock.now());
        let mut shard = self.shard(hash);
        let (found, expired) = match shard.lookup(hash, key.as_bytes(), &self.marks, now, hit) {
            Lookup::Found(id) => (Some(id), None),
            Lookup::Gone(value) => (None, Some(value)),
            Lookup::Nothing => (None, None),
        };
        self.left(usize::from(expired.is_some()));
        let (result, gone) = then(&mut shard, hash, found, now);
        drop(shard);
        drop((expired, gone));
        result
    }

    fn mark_key_stale(&self, key: &str) {
        self.with(key, false, |shard, hash, found, now| {
            shard.fences.mark_stale(hash);
            if let Some(id) = found {
                let deadlines = shard.deadlines(id);
                shard.set_deadlines(
                    id,
                    Deadlines { fresh_until: deadlines.fresh_until.min(now), ..deadlines },
                );
            }
            ((), None)
        });
    }

    fn delete(&self, key: &str) -> bool {
        self.with(key, false, |shard, hash, found, _| {
            shard.fences.void(hash);
            let gone = found.and_then(|id| shard.remove(id));
            self.left(usize::from(gone.is_some()));
            (gone.is_some(), gone)
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
        Reply::ready(
            self.0.with(key, true, |shard, _, found, now| (found.and_then(|id| shard.entry(id, now)), None)),
        )
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        Reply::ready(
            self.0.with(key, false, |shard, _, found, now| {
                (found.map(|id| shard.deadlines(id).left(now)), None)
            }),
        )
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, cache_core::Stored> {
        use cache_core::Stored;
        let stored = self.0.with(key, false, |shard, hash, found, now| {
            if options.if_absent && found.is_some_and(|id| shard.is_fresh(id, now)) {
                return (Stored::Exists, Some(value));
            }
            let store = &self.0;
            match admit(&store.marks, &mut shard.fences, (hash, key, now), value, &options) {
                Ok(stored) => (Stored::Yes, self.0.put(shard, hash, key, stored)),
                Err(value) => (Stored::Fenced, Some(value)),
            }
        });
        self.0.balance();
        Reply::ready(stored)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        Reply::ready(self.0.delete(key))
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        match (target, strength) {
            (Target::Key(key), Strength::Remove) => drop(self.0.delete(key)),
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
        Reply::ready(self.0.with(key, false, |shard, _, found, now| {
            let Some(id) = found.filter(|id| shard.is_fresh(*id, now)) else { return (false, None) };
            let deadlines = shard.deadlines(id).with_ttl(now, ttl);
            shard.set_deadlines(id, deadlines);
            (true, None)
        }))
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        let sum = self.0.with(key, false, |shard, hash, found, now| {
            shard.fences.void(hash);
            let fresh = found.filter(|id| shard.is_fresh(*id, now));
            if let Some((id, held)) = fresh.and_then(|id| Some((id, shard.value(id)?))) {
                return match counter::add(key, held, delta) {
                    Ok(sum) => (Ok(sum), shard.replace_value(id, Value::new(Arc::new(sum)))),
                    Err(error) => (Err(error), None),
                };
            }
            let (value, options) = (Value::new(Arc::new(delta)), Set::new(lifetime));
            let stored = unfenced(&self.0.marks, &mut shard.fences, (hash, now), value, &options);
            (Ok(delta), self.0.put(shard, hash, key, stored))
        });
        self.0.balance();
        Reply::Ready(sum)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        let hash = self.0.hash(key);
        let mut shard = self.0.shard(hash);
        // Under the lock: a sweep that has passed this shard has begun before this order.
        let sequence = self.0.marks.now();
        let lease = shard.fences.take(hash, sequence);
        Reply::ready(Fence { incarnation: INCARNATION, sequence, lease })
    }

    fn release(&self, key: &str, _: Fence) {
        let hash = self.0.hash(key);
        self.0.shard(hash).fences.release(hash);
    }

    fn troubles(&self) -> Reply<'_, Vec<String>> {
        Reply::ready(Vec::new())
    }

    fn close(&self, _: Duration) -> Reply<'_, u64> {
        Reply::ready(0)
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }
}
