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
pub mod seen;
pub mod storing;
mod wrapper;

use std::cell::Cell;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use crate::cache::Cache;
use crate::deadline::Lifetime;
use crate::entry::{Entry, Set, Stored};
use crate::target::{Strength, Target};
use crate::value::{Kind, Value};

pub use wrapper::{Noting, run_wrapper};

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
    [storing::CHECKS, expiry::CHECKS, counters::CHECKS, invalidation::CHECKS, fences::CHECKS, seen::CHECKS]
        .into_iter()
        .flatten()
        .copied()
}

/// Runs every check, also after one that fails: each begins with keys of its own.
///
/// # Panics
/// In the end, if there is a sentence that does not hold, naming each that does not, and why. The panics of the checks
/// themselves are printed as they come, with their places.
pub fn run(subject: &Subject<'_>) {
    verdict(checks().filter_map(|check| broken(check, subject)).collect());
}

/// [`run`] for a backend whose clock cannot be turned: lets time pass by sleeping, less than a minute in all.
///
/// Some checks look at windows of some tens of milliseconds, which a busy machine sleeps through. So a check that slept
/// and failed is run again, on an emptied backend, three times at most; that it was is printed. Prefer a clock that can
/// be turned, under which every check has one try.
///
/// # Panics
/// As [`run`] does.
pub fn run_in_real_time(cache: &dyn Cache) {
    verdict(broken_in_real_time(checks(), cache));
}

fn broken_in_real_time(checks: impl Iterator<Item = Check>, cache: &dyn Cache) -> Vec<String> {
    let slept = Cell::new(false);
    let advance = |by| {
        slept.set(true);
        sleep(by);
    };
    let subject = Subject { cache, advance: &advance };
    let broken_each_time = |check| {
        slept.set(false);
        let mut why = broken(check, &subject)?;
        for _ in 1..TRIES {
            if slept.get() {
                eprintln!("once more, for the machine may have slept too long:\n{why}");
                ok(cache.invalidate(Target::All, Strength::Remove));
                why = broken(check, &subject)?;
            }
        }
        Some(why)
    };
    checks.filter_map(broken_each_time).collect()
}

const TRIES: usize = 3;

fn verdict(broken: Vec<String>) {
    assert!(
        broken.is_empty(),
        "the backend breaks {} of the {} sentences of the contract:\n{}",
        broken.len(),
        checks().count(),
        broken.join("\n")
    );
}

/// Which sentence does not hold, and why; `None` if it does.
fn broken((name, check): Check, subject: &Subject<'_>) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(|| check(subject))).err()?;
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let why = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message");
    Some(format!("- {name}: {}", why.replace('\n', "\n    ")))
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

/// What each of so many threads comes to, all at once; the panic of one is this one's.
fn in_threads<R: Send>(threads: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// The answer of a reply that must succeed.
#[track_caller]
fn ok<T: Debug>(reply: crate::Reply<'_, T>) -> T {
    reply.wait().unwrap_or_else(|error| panic!("an operation failed that must succeed: {error}"))
}

impl Subject<'_> {
    #[track_caller]
    fn store(&self, key: &str, value: &str, lifetime: Lifetime, tags: &[Box<str>]) {
        let set = Set { tags, ..Set::new(lifetime) };
        assert_eq!(ok(self.cache.set(key, text(value), set)), Stored::Yes, "a plain `set` of {key} stores");
    }

    #[track_caller]
    fn get(&self, key: &str) -> Option<Entry> {
        ok(self.cache.get(key, Kind::of::<String>()))
    }

    /// The fresh text of `key`; `fresh` must never say otherwise than `get`.
    #[track_caller]
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
    #[track_caller]
    fn stale(&self, key: &str) -> Option<String> {
        assert!(self.cache.fresh(key).is_none(), "`fresh` gives {key}, which is to be stale");
        let entry = self.get(key)?;
        assert!(
            entry.left.fresh.is_zero(),
            "`get` gives {key} as fresh, which is to be stale: {:?}",
            entry.left
        );
        Some(read(entry))
    }
}

fn text(value: &str) -> Value {
    Value::new(Arc::new(value.to_owned()))
}

fn read(entry: Entry) -> String {
    (*entry.value.downcast::<String>().expect("a string")).clone()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;
    use crate::clock::Clock;
    use crate::testing::Plain;

    #[test]
    fn what_slept_and_failed_has_three_tries() {
        let tries: [Check; 3] = [
            ("at_last", |s| {
                (s.advance)(MS);
                assert_eq!(
                    ok(s.cache.incr("tried", 1, fresh_for(60_000))),
                    1,
                    "{}",
                    TRIED.fetch_add(1, Relaxed)
                );
            }),
            ("never", |s| {
                (s.advance)(MS);
                panic!("try {}", TRIED.fetch_add(1, Relaxed));
            }),
            ("awake", |_| panic!("try {}", TRIED.fetch_add(1, Relaxed))),
        ];
        static TRIED: AtomicUsize = AtomicUsize::new(0);
        let cache = Plain::new(Clock::default());
        ok(cache.incr("tried", 1, fresh_for(60_000)));
        let broken = broken_in_real_time(tries.into_iter(), &cache);
        assert_eq!(
            broken,
            ["- never: try 3", "- awake: try 4"],
            "the first found it emptied at its second try"
        );
    }
}
