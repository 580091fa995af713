//! [`Moka`] as a [`Cache`]: every reply is ready.

use std::sync::{Arc, Weak};
use std::time::Duration;

use cache_core::{
    Cache, Connection, Ended, Entry, Fence, Kind, Lease, Lifetime, Listener, Notices, Pattern, Reply, Set,
    Stored, Strength, Target, Token, Usage, Value, counter,
};

use super::Moka;
use super::store::{Store, Then};
use crate::admission::{INCARNATION, admit, unfenced};
use crate::marks::MANY;

impl Store {
    fn delete(&self, key: &str) -> bool {
        self.with(key, |fences, hash, found, _| {
            fences.void(hash);
            (found.is_some(), Then::Remove)
        })
    }

    fn mark_key_stale(&self, key: &str) {
        self.with(key, |fences, hash, found, now| {
            fences.mark_stale(hash);
            if let Some(stored) = found {
                stored.mark_stale(now);
            }
            ((), Then::Keep)
        });
    }

    fn mark_pattern(&self, pattern: Option<Pattern>, strength: Strength) {
        let everything = pattern.is_none() && strength == Strength::Remove;
        if self.marks.mark_pattern(pattern, strength) > MANY || everything {
            self.sweep();
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Cache for Moka {
    #[inline]
    fn fresh(&self, key: &str) -> Option<Value> {
        self.0.held(key)?.glance(&self.0.marks, &self.0.clock)
    }

    fn get(&self, key: &str, _: &'static Kind) -> Reply<'_, Option<Entry>> {
        Reply::ready(self.0.with(key, |_, _, found, now| (found.map(|stored| stored.entry(now)), Then::Keep)))
    }

    fn confirmed(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.get(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        Reply::ready(
            self.0.with(key, |_, _, found, now| (found.map(|stored| stored.deadlines.left(now)), Then::Keep)),
        )
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        let mut refused = None;
        let stored = self.0.with(key, |fences, hash, found, now| {
            if options.if_absent && found.is_some_and(|stored| stored.is_fresh(now)) {
                refused = Some(value);
                return (Stored::Exists, Then::Keep);
            }
            match admit(&self.0.marks, fences, (hash, key, now), value, &options) {
                Ok(stored) => (Stored::Yes, Then::Put(stored)),
                Err(value) => {
                    refused = Some(value);
                    (Stored::Fenced, Then::Keep)
                }
            }
        });
        // Not before the lock is free: its `Drop` is the user's code.
        drop(refused);
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
        Reply::ready(self.0.with(key, |_, _, found, now| {
            let Some(stored) = found.filter(|stored| stored.is_fresh(now)) else {
                return (false, Then::Keep);
            };
            stored.deadlines = stored.deadlines.with_ttl(now, ttl);
            (true, Then::Keep)
        }))
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        let mut replaced = None;
        let sum = self.0.with(key, |fences, hash, found, now| {
            if let Some(stored) = found.filter(|stored| stored.is_fresh(now)) {
                fences.void(hash);
                let sum = counter::add(key, &stored.value, delta);
                if let Ok(sum) = sum {
                    replaced = Some(std::mem::replace(&mut stored.value, Value::new(Arc::new(sum))));
                }
                return (sum, Then::Keep);
            }
            let (value, options) = (Value::new(Arc::new(delta)), Set::new(lifetime));
            (Ok(delta), Then::Put(unfenced(&self.0.marks, fences, (hash, now), value, &options)))
        });
        drop(replaced);
        Reply::Ready(sum)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        let hash = self.0.hash(key);
        let mut fences = self.0.fences(hash);
        // Under the lock: a sweep that has passed this stripe has begun before this order.
        let sequence = self.0.marks.now();
        let lease = fences.take(hash, sequence);
        Reply::ready(Fence { incarnation: INCARNATION, sequence, lease })
    }

    fn lease(&self, key: &str, _: bool) -> Reply<'_, Lease> {
        self.fence(key).map(Lease::Mine)
    }

    fn release(&self, key: &str, _: Fence) {
        let hash = self.0.hash(key);
        self.0.fences(hash).release(hash);
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
