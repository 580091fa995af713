//! A backend as simple as can be: one lock, a map, and a log of what was invalidated. Unbounded; for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::cache::Cache;
use crate::clock::{Clock, Time};
use crate::counter;
use crate::deadline::{Deadlines, Freshness, Lifetime};
use crate::entry::{Entry, Origin, Set, Stored, Tier, Usage};
use crate::fence::Fence;
use crate::listener::{Listener, Notices};
use crate::pattern::Pattern;
use crate::reply::Reply;
use crate::target::{Strength, Target};
use crate::value::{Kind, Value};

/// The plainest backend that keeps the contract; what others are compared with.
#[derive(Debug, Default)]
pub struct Plain {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Box<str>, Held>,
    /// All that was ever struck, in order: entry `n` has order `n + 1`.
    strikes: Vec<(Covers, Strength)>,
    /// How many fences were taken, and the latest that published each key.
    leases: u64,
    published: BTreeMap<Box<str>, u64>,
    expirations: u64,
}

#[derive(Debug)]
struct Held {
    value: Value,
    stored: Time,
    deadlines: Deadlines,
    tags: Vec<Box<str>>,
    glance_until: Time,
    origin: Origin,
}

#[derive(Debug)]
enum Covers {
    Key(Box<str>),
    Pattern(Pattern),
    Tag(Box<str>),
    All,
}

impl Covers {
    fn new(target: Target<'_>) -> crate::Result<Self> {
        Ok(match target {
            Target::Key(key) => Self::Key(key.into()),
            Target::Pattern(pattern) => Self::Pattern(Pattern::new(pattern)?),
            Target::Tag(tag) => Self::Tag(tag.into()),
            Target::All => Self::All,
        })
    }

    fn covers(&self, key: &str, tags: &[Box<str>]) -> bool {
        match self {
            Self::Key(struck) => **struck == *key,
            Self::Pattern(pattern) => pattern.matches(key),
            Self::Tag(struck) => tags.contains(struck),
            Self::All => true,
        }
    }
}

impl Plain {
    /// A backend with a clock of its own.
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// The state without what has expired, and the time.
    fn now(&self) -> (parking_lot::MutexGuard<'_, State>, Time) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let before = state.entries.len();
        state.entries.retain(|_, held| held.deadlines.at(now).is_some());
        state.expirations += (before - state.entries.len()) as u64;
        (state, now)
    }
}

impl Held {
    fn is_fresh(&self, now: Time) -> bool {
        self.deadlines.at(now) == Some(Freshness::Fresh)
    }
}

impl Cache for Plain {
    fn fresh(&self, key: &str) -> Option<Value> {
        let (state, now) = self.now();
        let at_a_glance = |held: &&Held| held.is_fresh(now) && now < held.glance_until;
        state.entries.get(key).filter(at_a_glance).map(|held| held.value.clone())
    }

    fn get(&self, key: &str, _: &'static Kind) -> Reply<'_, Option<Entry>> {
        let (state, now) = self.now();
        Reply::ready(state.entries.get(key).map(|held| Entry {
            value: held.value.clone(),
            left: held.deadlines.left(now),
            stale_for: now - held.deadlines.fresh_until.min(now),
            age: now - held.stored,
            glance: held.glance_until - now,
            tier: Tier::L1,
            origin: held.origin,
            tags: held.tags.clone(),
        }))
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        let (state, now) = self.now();
        Reply::ready(state.entries.get(key).map(|held| held.deadlines.left(now)))
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        let (mut state, now) = self.now();
        if options.if_absent && state.entries.get(key).is_some_and(|held| held.is_fresh(now)) {
            return Reply::ready(Stored::Exists);
        }
        let mut deadlines = Deadlines::new(now, options.lifetime);
        if let Some(fence) = options.fence {
            if state.published.get(key).is_some_and(|latest| fence.lease <= *latest) {
                return Reply::ready(Stored::Fenced);
            }
            for (struck, strength) in &state.strikes[fence.sequence as usize..] {
                if struck.covers(key, options.tags) {
                    match strength {
                        Strength::Remove => return Reply::ready(Stored::Fenced),
                        Strength::MarkStale => deadlines.fresh_until = now,
                    }
                }
            }
        }
        match options.fence {
            Some(fence) => drop(state.published.insert(key.into(), fence.lease)),
            None => state.strikes.push((Covers::Key(key.into()), Strength::Remove)),
        }
        let (glance_until, tags) = (now + options.glance, options.tags.to_vec());
        let held = Held { value, stored: now, deadlines, tags, glance_until, origin: options.origin };
        state.entries.insert(key.into(), held);
        Reply::ready(Stored::Yes)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        let (mut state, _) = self.now();
        state.strikes.push((Covers::Key(key.into()), Strength::Remove));
        Reply::ready(state.entries.remove(key).is_some())
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        let covers = match Covers::new(target) {
            Ok(covers) => covers,
            Err(error) => return Reply::error(error),
        };
        let (mut state, now) = self.now();
        match strength {
            Strength::Remove => state.entries.retain(|key, held| !covers.covers(key, &held.tags)),
            Strength::MarkStale => {
                for (key, held) in &mut state.entries {
                    if covers.covers(key, &held.tags) {
                        held.deadlines.fresh_until = held.deadlines.fresh_until.min(now);
                    }
                }
            }
        }
        state.strikes.push((covers, strength));
        Reply::ready(())
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        let (mut state, now) = self.now();
        let Some(held) = state.entries.get_mut(key).filter(|held| held.is_fresh(now)) else {
            return Reply::ready(false);
        };
        held.deadlines = held.deadlines.with_ttl(now, ttl);
        Reply::ready(true)
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        let (mut state, now) = self.now();
        state.strikes.push((Covers::Key(key.into()), Strength::Remove));
        if let Some(held) = state.entries.get_mut(key).filter(|held| held.is_fresh(now)) {
            return Reply::Ready(
                counter::add(key, &held.value, delta).inspect(|sum| held.value = Value::new(Arc::new(*sum))),
            );
        }
        let held = Held {
            value: Value::new(Arc::new(delta)),
            stored: now,
            deadlines: Deadlines::new(now, lifetime),
            tags: Vec::new(),
            glance_until: Time::MAX,
            origin: Origin::default(),
        };
        state.entries.insert(key.into(), held);
        Reply::ready(delta)
    }

    fn fence(&self, _: &str) -> Reply<'_, Fence> {
        let (mut state, _) = self.now();
        state.leases += 1;
        Reply::ready(Fence { incarnation: 0, sequence: state.strikes.len() as u64, lease: state.leases })
    }

    fn listen(&self, _: Weak<dyn Listener>) -> Notices {
        Notices::Needless
    }

    fn usage(&self) -> Usage {
        let (state, _) = self.now();
        let entries = state.entries.len() as u64;
        Usage { entries, weight: entries, expirations: state.expirations, ..Usage::default() }
    }
}
