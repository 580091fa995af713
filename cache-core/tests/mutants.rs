//! Deliberately wrong backends, each wrong in one thing: the conformance suite must catch every one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
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
}

struct Mutant {
    wrong: Wrong,
    plain: Plain,
    deadlines: Mutex<std::collections::HashMap<String, Lifetime>>,
}

impl Mutant {
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
            _ => {}
        }
        self.plain.set(&self.key(key), value, options)
    }

    fn delete(&self, key: &str) -> Reply<'_, bool> {
        self.deadlines.lock().expect("not poisoned").remove(key);
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
        self.plain.usage()
    }
}

fn broken_sentences(wrong: Wrong) -> Vec<&'static str> {
    let mut broken = Vec::new();
    for (name, check) in conformance::checks() {
        let clock = ManualClock::new();
        let plain = Plain::new(clock.clock());
        let mutant = Mutant { wrong, plain, deadlines: Mutex::default() };
        let subject = Subject { cache: &mutant, advance: &|by| clock.advance(by) };
        if catch_unwind(AssertUnwindSafe(|| check(&subject))).is_err() {
            broken.push(name);
        }
    }
    broken
}

const MUTANTS: [Wrong; 20] = [
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
];

#[test]
fn the_suite_catches_every_mutant_and_nobody_else() {
    assert_eq!(broken_sentences(Wrong::Nothing), Vec::<&str>::new());
    let missed: Vec<Wrong> =
        MUTANTS.into_iter().filter(|wrong| broken_sentences(*wrong).is_empty()).collect();
    assert!(missed.is_empty(), "the suite lets pass: {missed:?}");
}

/// The model knows of few keys and tags; what is wrong with others only the suite finds.
#[test]
fn the_model_catches_the_mutants_that_it_can_reach() {
    let run = |wrong, cases| {
        let make = |clock: &ManualClock| Mutant {
            wrong,
            plain: Plain::new(clock.clock()),
            deadlines: Mutex::default(),
        };
        catch_unwind(|| model::run(cases, make))
    };
    assert!(run(Wrong::Nothing, 300).is_ok());
    let out_of_reach = [Wrong::FoldsCase, Wrong::TrimsKeys, Wrong::ClearLeavesCounters];
    let missed: Vec<Wrong> = MUTANTS
        .into_iter()
        .filter(|wrong| !out_of_reach.contains(wrong) && run(*wrong, 5000).is_ok())
        .collect();
    assert!(missed.is_empty(), "the model lets pass: {missed:?}");
}
