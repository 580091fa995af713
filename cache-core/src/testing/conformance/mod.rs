//! The contract of [`Cache`], sentence by sentence, as functions that anybody's backend can call.
//!
//! ```
//! use larder::ManualClock;
//! use larder::testing::{Plain, conformance::{self, Subject}};
//!
//! let clock = ManualClock::new();
//! let cache = Plain::new(clock.clock());
//! conformance::run(&Subject { cache: &cache, advance: &|by| clock.advance(by) });
//! ```

pub mod counters;
pub mod expiry;
pub mod fences;
pub mod invalidation;
pub mod storing;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use crate::cache::Cache;
use crate::deadline::Lifetime;
use crate::entry::{Entry, Set, Stored};
use crate::value::{Kind, Value};

/// A backend under test. Each check uses keys of its own, so one backend serves them all; what checks "all"
/// empties it.
#[derive(Clone, Copy)]
pub struct Subject<'s> {
    /// The backend; it must hold at least a hundred entries.
    pub cache: &'s dyn Cache,
    /// Lets so much time pass for it: turns a manual clock, or sleeps.
    pub advance: &'s dyn Fn(Duration),
}

/// One sentence of the contract.
pub type Check = (&'static str, fn(&Subject<'_>));

/// Every check by name, to run them one by one.
pub fn checks() -> impl Iterator<Item = Check> {
    [storing::CHECKS, expiry::CHECKS, counters::CHECKS, invalidation::CHECKS, fences::CHECKS]
        .into_iter()
        .flatten()
        .copied()
}

/// Runs every check.
///
/// # Panics
/// At the first sentence that does not hold, naming it.
pub fn run(subject: &Subject<'_>) {
    for (name, check) in checks() {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(subject)));
        assert!(outcome.is_ok(), "the backend breaks the contract: {name} (see the panic above)");
    }
}

/// Names the checks of a file.
macro_rules! sentences {
    ($($check:ident)*) => {
        /// The checks of this module.
        pub const CHECKS: &[super::Check] = &[$((stringify!($check), $check)),*];
    };
}
use sentences;

const MS: Duration = Duration::from_millis(1);

fn fresh_for(fresh: u32) -> Lifetime {
    Lifetime { fresh: MS * fresh, total: MS * fresh }
}

fn stale_after(fresh: u32, total: u32) -> Lifetime {
    Lifetime { fresh: MS * fresh, total: MS * total }
}

fn tags(tags: &[&str]) -> Vec<Box<str>> {
    tags.iter().map(|tag| Box::from(*tag)).collect()
}

/// The answer of a reply that must succeed.
fn ok<T: Debug>(reply: crate::Reply<'_, T>) -> T {
    reply.wait().expect("the operation succeeds")
}

impl Subject<'_> {
    fn store(&self, key: &str, value: &str, lifetime: Lifetime, tags: &[Box<str>]) {
        let set = Set { tags, ..Set::new(lifetime) };
        assert_eq!(ok(self.cache.set(key, text(value), set)), Stored::Yes);
    }

    fn get(&self, key: &str) -> Option<Entry> {
        ok(self.cache.get(key, Kind::of::<String>()))
    }

    /// The fresh text of `key`; `fresh` must never say otherwise than `get`.
    fn fresh(&self, key: &str) -> Option<String> {
        // A glance before `get`, which may tidy up, and one after it.
        let before = self.cache.fresh(key);
        let fresh = self.get(key).filter(|entry| !entry.left.fresh.is_zero()).map(read);
        for at_a_glance in [before, self.cache.fresh(key)].into_iter().flatten() {
            let at_a_glance = at_a_glance.downcast::<String>().expect("a string");
            assert_eq!(Some(&*at_a_glance), fresh.as_ref(), "`fresh` of {key} differs from `get`");
        }
        fresh
    }

    /// The text of `key`, which must be stale.
    fn stale(&self, key: &str) -> Option<String> {
        assert!(self.cache.fresh(key).is_none(), "{key} is fresh");
        let entry = self.get(key)?;
        assert!(entry.left.fresh.is_zero(), "{key} is fresh");
        Some(read(entry))
    }
}

fn text(value: &str) -> Value {
    Value::new(Arc::new(value.to_owned()))
}

fn read(entry: Entry) -> String {
    (*entry.value.downcast::<String>().expect("a string")).clone()
}
