//! Deliberately wrong backends, each wrong in one thing: the conformance suite must catch every one.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_core::testing::conformance::{self, Subject};
use cache_core::testing::{Plain, model};
use cache_core::{
    Cache, Entry, Fence, Kind, Lifetime, ManualClock, Reply, Set, Stored, Strength, Target, Usage, Value,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    IgnoresTags,
    KeepsOneTag,
    IgnoresPatterns,
    PatternsForgetLoads,
    TagsForgetLoads,
    IgnoresFences,
    PublishesTwice,
    AMillisecondTooLong,
    ExpireRevives,
    IncrSetsTtl,
    MarkStaleRemoves,
    MarkStaleDoesNothing,
    IfAbsentOverwrites,
    DeleteSaysYes,
    KeepsTheOldDeadline,
    FoldsCase,
    TrimsKeys,
    ClearLeavesCounters,
    ExpireDropsTheStaleWindow,
    HandsOutMarked,
    IncrForgetsLoads,
    IncrResetsAge,
    IncrShortens,
    IfAbsentLooksFirst,
    UsageForgetsStale,
    UsageCountsDeletionsAsExpired,
    UsageKeepsWeight,
}

struct Mutant {
    wrong: Wrong,
    plain: Plain,
    deadlines: Mutex<HashMap<String, Lifetime>>,
    /// Where in the order of `plain` its counters were added to.
    added: Mutex<HashSet<u64>>,
    /// Held while one is added to and stored anew: that alone is to be wrong.
    adding: Mutex<()>,
    deleted: AtomicU64,
    stored: AtomicU64,
}

impl Mutant {
    fn new(wrong: Wrong, clock: &ManualClock) -> Self {
        Self {
            wrong,
            plain: Plain::new(clock.clock()),
            deadlines: Mutex::default(),
            added: Mutex::default(),
            adding: Mutex::default(),
            deleted: AtomicU64::new(0),
            stored: AtomicU64::new(0),
        }
    }

    /// Adds `delta` and then stores the sum anew, for as long as `lifetime` says of what was left.
    fn restored(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        let _adding = self.adding.lock();
        let left = self.plain.ttl(key).wait().expect("plain").filter(|left| !left.fresh.is_zero());
        let sum = self.plain.incr(key, delta, lifetime).wait();
        if let (Ok(sum), Some(left)) = (&sum, left) {
            let lifetime = if self.is(Wrong::IncrShortens) {
                Lifetime { fresh: left.fresh.min(lifetime.fresh), total: left.total.min(lifetime.total) }
            } else {
                left
            };
            let stored = self.plain.set(key, Value::new(Arc::new(*sum)), Set::new(lifetime)).wait();
            assert_eq!(stored.expect("plain"), Stored::Yes);
        }
        Reply::Ready(sum)
    }

    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    fn key(&self, key: &str) -> String {
        match self.wrong {
            Wrong::FoldsCase => key.to_lowercase(),
            Wrong::TrimsKeys => key.trim_end().to_owned(),
            _ => key.to_owned(),
        }
    }
}

impl Cache for Mutant {
    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        let revived = self.is(Wrong::HandsOutMarked);
        self.plain.get(&self.key(key), kind).map(move |entry| {
            entry.map(|mut entry| {
                if revived {
                    entry.left.fresh = entry.left.total;
                }
                entry
            })
        })
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.plain.ttl(&self.key(key))
    }

    fn set(&self, key: &str, value: Value, mut options: Set<'_>) -> Reply<'_, Stored> {
        let ms = Duration::from_millis(1);
        match self.wrong {
            Wrong::IgnoresTags => options.tags = &[],
            Wrong::KeepsOneTag => options.tags = &options.tags[..options.tags.len().min(1)],
            Wrong::IgnoresFences => options.fence = None,
            Wrong::IfAbsentOverwrites => options.if_absent = false,
            Wrong::AMillisecondTooLong => {
                options.lifetime.fresh = options.lifetime.fresh.saturating_add(ms);
                options.lifetime.total = options.lifetime.total.saturating_add(ms);
            }
            Wrong::KeepsTheOldDeadline => {
                let mut deadlines = self.deadlines.lock().expect("not poisoned");
                options.lifetime = *deadlines.entry(key.to_owned()).or_insert(options.lifetime);
            }
            Wrong::PublishesTwice => {
                if let Some(fence) = &mut options.fence {
                    fence.lease = u64::MAX;
                }
                drop(self.plain.fence(key));
            }
            Wrong::IncrForgetsLoads => {
                let added = self.added.lock().expect("not poisoned");
                while let Some(fence) = options.fence.as_mut().filter(|fence| added.contains(&fence.sequence))
                {
                    fence.sequence += 1;
                }
            }
            Wrong::IfAbsentLooksFirst if options.if_absent => {
                if self.plain.fresh(key).is_some() {
                    return Reply::ready(Stored::Exists);
                }
                options.if_absent = false;
                // Time for another caller to look, too.
                std::thread::sleep(ms);
            }
            _ => {}
        }
        self.stored.fetch_add(1, Ordering::SeqCst);
        self.plain.set(&self.key(key), value, options)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.deadlines.lock().expect("not poisoned").remove(key);
        self.deleted.fetch_add(1, Ordering::SeqCst);
        let yes = self.is(Wrong::DeleteSaysYes);
        self.plain.delete(&self.key(key)).map(move |went| went || yes)
    }

    fn invalidate(&self, target: Target<'_>, strength: Strength) -> Reply<'_, ()> {
        let strength = match (self.wrong, strength) {
            (Wrong::MarkStaleRemoves, _) => Strength::Remove,
            (Wrong::MarkStaleDoesNothing, Strength::MarkStale) => return Reply::ready(()),
            (_, strength) => strength,
        };
        match target {
            Target::Pattern(_) if self.is(Wrong::IgnoresPatterns) => Reply::ready(()),
            Target::All if self.is(Wrong::ClearLeavesCounters) => {
                self.plain.invalidate(Target::Pattern("[^c]*"), strength)
            }
            // What is not there now is not remembered.
            Target::Pattern(_) if self.is(Wrong::PatternsForgetLoads) && self.plain.usage().entries == 0 => {
                Reply::ready(())
            }
            Target::Tag(_) if self.is(Wrong::TagsForgetLoads) && self.plain.usage().entries == 0 => {
                Reply::ready(())
            }
            target => self.plain.invalidate(target, strength),
        }
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        let key = self.key(key);
        if self.is(Wrong::ExpireRevives) || self.is(Wrong::ExpireDropsTheStaleWindow) {
            let found = self.plain.get(&key, Kind::of::<String>()).wait().expect("plain");
            let fresh = found.as_ref().is_some_and(|entry| !entry.left.fresh.is_zero());
            if let Some(entry) = found.filter(|_| fresh || self.is(Wrong::ExpireRevives)) {
                let lifetime = Lifetime { fresh: ttl, total: ttl };
                let set = Set::new(lifetime);
                return self.plain.set(&key, entry.value, set).map(|_| true);
            }
        }
        self.plain.expire(&key, ttl)
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        if self.is(Wrong::IncrResetsAge) || self.is(Wrong::IncrShortens) {
            return self.restored(key, delta, lifetime);
        }
        if self.is(Wrong::IncrForgetsLoads) {
            let here = self.plain.fence(key).wait().expect("plain").sequence;
            self.added.lock().expect("not poisoned").insert(here);
        }
        let reply = self.plain.incr(key, delta, lifetime);
        if self.is(Wrong::IncrSetsTtl) {
            let _ = self.plain.expire(key, lifetime.fresh).wait();
        }
        reply
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.plain.fence(key)
    }

    fn usage(&self) -> Usage {
        let mut usage = self.plain.usage();
        match self.wrong {
            Wrong::UsageForgetsStale => {
                let stale = self.plain.ttl("storing:usage:2").wait().expect("plain");
                usage.entries -= u64::from(stale.is_some_and(|left| left.fresh.is_zero()));
            }
            Wrong::UsageCountsDeletionsAsExpired => {
                usage.expirations += self.deleted.load(Ordering::SeqCst);
            }
            Wrong::UsageKeepsWeight => usage.weight = self.stored.load(Ordering::SeqCst),
            _ => {}
        }
        usage
    }
}

fn broken_sentences(wrong: Wrong) -> Vec<&'static str> {
    let mut broken = Vec::new();
    for (name, check) in conformance::checks() {
        let clock = ManualClock::new();
        let mutant = Mutant::new(wrong, &clock);
        let subject = Subject { cache: &mutant, advance: &|by| clock.advance(by) };
        if catch_unwind(AssertUnwindSafe(|| check(&subject))).is_err() {
            broken.push(name);
        }
    }
    broken
}

const MUTANTS: [Wrong; 27] = [
    Wrong::IgnoresTags,
    Wrong::KeepsOneTag,
    Wrong::IgnoresPatterns,
    Wrong::PatternsForgetLoads,
    Wrong::TagsForgetLoads,
    Wrong::IgnoresFences,
    Wrong::PublishesTwice,
    Wrong::AMillisecondTooLong,
    Wrong::ExpireRevives,
    Wrong::IncrSetsTtl,
    Wrong::MarkStaleRemoves,
    Wrong::MarkStaleDoesNothing,
    Wrong::IfAbsentOverwrites,
    Wrong::DeleteSaysYes,
    Wrong::KeepsTheOldDeadline,
    Wrong::FoldsCase,
    Wrong::TrimsKeys,
    Wrong::ClearLeavesCounters,
    Wrong::ExpireDropsTheStaleWindow,
    Wrong::HandsOutMarked,
    Wrong::IncrForgetsLoads,
    Wrong::IncrResetsAge,
    Wrong::IncrShortens,
    Wrong::IfAbsentLooksFirst,
    Wrong::UsageForgetsStale,
    Wrong::UsageCountsDeletionsAsExpired,
    Wrong::UsageKeepsWeight,
];

#[test]
fn the_suite_catches_every_mutant_and_nobody_else() {
    assert_eq!(broken_sentences(Wrong::Nothing), Vec::<&str>::new());
    let missed: Vec<Wrong> =
        MUTANTS.into_iter().filter(|wrong| broken_sentences(*wrong).is_empty()).collect();
    assert!(missed.is_empty(), "the suite lets pass: {missed:?}");
}

/// Each by the sentence that says it, not by another that it happens to break.
#[test]
fn the_sentence_that_is_broken_is_the_one_that_is_named() {
    for (wrong, sentence) in [
        (Wrong::IncrForgetsLoads, "adding_to_a_counter_voids_its_fences"),
        (Wrong::IncrResetsAge, "adding_changes_neither_deadline_nor_age"),
        (Wrong::IncrShortens, "adding_changes_neither_deadline_nor_age"),
        (Wrong::IfAbsentLooksFirst, "if_absent_stores_for_one_caller_alone"),
        (Wrong::UsageForgetsStale, "usage_tells_what_is_held"),
        (Wrong::UsageCountsDeletionsAsExpired, "usage_tells_what_is_held"),
        (Wrong::UsageKeepsWeight, "usage_tells_what_is_held"),
    ] {
        let broken = broken_sentences(wrong);
        assert_eq!(broken, [sentence], "{wrong:?}");
    }
}

#[test]
fn a_run_names_every_sentence_that_is_broken_and_says_why() {
    let clock = ManualClock::new();
    let mutant = Mutant::new(Wrong::DeleteSaysYes, &clock);
    let subject = Subject { cache: &mutant, advance: &|by| clock.advance(by) };
    let panic = catch_unwind(AssertUnwindSafe(|| conformance::run(&subject))).expect_err("it is wrong");
    let report = panic.downcast_ref::<String>().expect("a report");
    let broken = broken_sentences(Wrong::DeleteSaysYes);
    assert!(broken.len() > 1, "{broken:?}");
    for name in &broken {
        assert!(report.contains(&format!("\n- {name}: ")), "{name} is missing in {report}");
    }
    assert!(report.contains("delete_says_whether_something_went: nothing was there"), "{report}");
    assert_eq!(report.matches("\n- ").count(), broken.len(), "{report}");
}

/// A wrapper that hands on what it must and leaves the rest provided, as one does who forgets it.
struct Forgets<C>(C);

impl<C: Cache> Cache for Forgets<C> {
    fn get(&self, key: &str, kind: &'static Kind) -> Reply<'_, Option<Entry>> {
        self.0.get(key, kind)
    }

    fn ttl(&self, key: &str) -> Reply<'_, Option<Lifetime>> {
        self.0.ttl(key)
    }

    fn set(&self, key: &str, value: Value, options: Set<'_>) -> Reply<'_, Stored> {
        self.0.set(key, value, Set { fence: None, ..options })
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.0.delete(key)
    }

    fn invalidate(&self, target: Target<'_>, _: Strength) -> Reply<'_, ()> {
        self.0.invalidate(target, Strength::Remove)
    }

    fn expire(&self, key: &str, ttl: Duration) -> Reply<'_, bool> {
        self.0.expire(key, ttl)
    }

    fn incr(&self, key: &str, delta: i64, lifetime: Lifetime) -> Reply<'_, i64> {
        self.0.incr(key, delta, lifetime)
    }

    fn fence(&self, key: &str) -> Reply<'_, Fence> {
        self.0.fence(key)
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }
}

/// Of each fence that it forgets to give back it is told, and of each other call that does not get there as it was made.
#[test]
fn a_wrapper_that_forgets_is_told_of_each_call() {
    let run = || conformance::run_wrapper(|behind| Arc::new(Forgets(behind)));
    let panic = catch_unwind(run).expect_err("it forgets");
    let report = panic.downcast_ref::<String>().expect("a report");
    let named = report.lines().filter_map(|line| line.strip_prefix("- ")?.split_once(": what got there"));
    let named: Vec<_> = named.map(|(call, _)| call).collect();
    let forgotten = [
        "fresh",
        "confirmed",
        "set with the fence",
        "invalidate MarkStale",
        "lease, retrying: false",
        "lease, retrying: true",
        "release of the fence",
        "settle of the fence, Somehow",
        "settle of the fence, Failed",
        "listen",
        "acknowledged",
        "token",
        "read_after",
        "troubles",
        "remote",
        "close",
    ];
    assert_eq!(named, forgotten, "{report}");
}

/// The model knows of few keys and tags; what is wrong with others only the suite finds.
#[test]
fn the_model_catches_the_mutants_that_it_can_reach() {
    let run =
        |wrong, cases| catch_unwind(|| model::run(cases, |clock: &ManualClock| Mutant::new(wrong, clock)));
    assert!(run(Wrong::Nothing, 300).is_ok());
    let out_of_reach = [
        Wrong::FoldsCase,
        Wrong::TrimsKeys,
        Wrong::ClearLeavesCounters,
        // It counts for ever, has one thread, and does not ask for the usage.
        Wrong::IncrShortens,
        Wrong::IfAbsentLooksFirst,
        Wrong::UsageForgetsStale,
        Wrong::UsageCountsDeletionsAsExpired,
        Wrong::UsageKeepsWeight,
    ];
    let missed: Vec<Wrong> = MUTANTS
        .into_iter()
        .filter(|wrong| !out_of_reach.contains(wrong) && run(*wrong, 5000).is_ok())
        .collect();
    assert!(missed.is_empty(), "the model lets pass: {missed:?}");
}
