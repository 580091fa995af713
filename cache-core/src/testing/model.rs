//! Any backend against the plain one: random operations and time jumps, with a clock that is turned by hand.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::Plain;
use crate::cache::Cache;
use crate::clock::ManualClock;
use crate::deadline::Lifetime;
use crate::entry::{Set, Stored};
use crate::fence::Fence;
use crate::target::{Strength, Target};
use crate::value::{Kind, Value};

#[derive(Clone, Debug)]
enum Op {
    Set { key: u8, fresh: u16, stale: u16, tags: u8, if_absent: bool },
    SetCounter { key: u8 },
    Delete(u8),
    Expire { key: u8, ttl: u16 },
    Incr { key: u8, delta: i8 },
    Strike { target: u8, stale: bool },
    Fence(u8),
    Publish { load: u8, fresh: u16, stale: u16, tags: u8 },
    Advance(u16),
}

const KEYS: u8 = 6;
const TARGETS: [&str; 5] = ["k:*", "k:[0-2]", "k:?", "k:[^3]", "other:*"];

fn key(key: u8) -> String {
    format!("k:{}", key % KEYS)
}

fn tags(bits: u8) -> Vec<Box<str>> {
    (0..2).filter(|bit| bits >> bit & 1 == 1).map(|bit| format!("tag{bit}").into()).collect()
}

fn ops() -> impl Strategy<Value = Op> {
    let ms = 1..400_u16;
    prop_oneof![
        4 => (any::<u8>(), ms.clone(), 0..400_u16, 0..4_u8, any::<bool>())
            .prop_map(|(key, fresh, stale, tags, if_absent)| Op::Set { key, fresh, stale, tags, if_absent }),
        1 => any::<u8>().prop_map(|key| Op::SetCounter { key }),
        1 => any::<u8>().prop_map(Op::Delete),
        1 => (any::<u8>(), ms.clone()).prop_map(|(key, ttl)| Op::Expire { key, ttl }),
        1 => (any::<u8>(), any::<i8>()).prop_map(|(key, delta)| Op::Incr { key, delta }),
        3 => (any::<u8>(), any::<bool>()).prop_map(|(target, stale)| Op::Strike { target, stale }),
        2 => any::<u8>().prop_map(Op::Fence),
        3 => (any::<u8>(), ms.clone(), 0..400_u16, 0..4_u8)
            .prop_map(|(load, fresh, stale, tags)| Op::Publish { load, fresh, stale, tags }),
        2 => (0..700_u16).prop_map(Op::Advance),
    ]
}

/// One backend and the loads in flight over it.
struct Side<'s> {
    cache: &'s dyn Cache,
    loads: Vec<(String, Fence)>,
}

impl Side<'_> {
    fn set(
        &self,
        key: &str,
        value: &str,
        (fresh, stale): (u16, u16),
        tags: u8,
        rest: (Option<Fence>, bool),
    ) -> String {
        let fresh = Duration::from_millis(fresh.into());
        let lifetime = Lifetime { fresh, total: fresh + Duration::from_millis(stale.into()) };
        let set = Set { tags: &self::tags(tags), fence: rest.0, if_absent: rest.1, ..Set::new(lifetime) };
        format!("{:?}", self.cache.set(key, Value::new(Arc::new(value.to_owned())), set).wait())
    }

    /// Does `op` and says what was answered.
    fn apply(&mut self, step: usize, op: &Op) -> String {
        match *op {
            Op::Set { key, fresh, stale, tags, if_absent } => {
                self.set(&self::key(key), &format!("set {step}"), (fresh, stale), tags, (None, if_absent))
            }
            Op::SetCounter { key } => {
                let set = Set::new(Lifetime::FOREVER);
                format!(
                    "{:?}",
                    self.cache.set(&self::key(key), Value::new(Arc::new(step as i64)), set).wait()
                )
            }
            Op::Delete(key) => format!("{:?}", self.cache.delete(&self::key(key)).wait()),
            Op::Expire { key, ttl } => {
                format!("{:?}", self.cache.expire(&self::key(key), Duration::from_millis(ttl.into())).wait())
            }
            Op::Incr { key, delta } => {
                let sum = self.cache.incr(&self::key(key), delta.into(), Lifetime::FOREVER).wait();
                format!("{:?}", sum.map_err(|error| error.kind()))
            }
            Op::Strike { target, stale } => {
                let strength = if stale { Strength::MarkStale } else { Strength::Remove };
                let name = key(target / 16);
                let target = match target % 16 {
                    0 => Target::All,
                    1..5 => Target::Key(&name),
                    5..9 => Target::Tag(["tag0", "tag1", "tag2", "tag0"][usize::from(target % 16 - 5)]),
                    _ => Target::Pattern(TARGETS[usize::from(target) % TARGETS.len()]),
                };
                format!("{:?}", self.cache.invalidate(target, strength).wait())
            }
            Op::Fence(key) => {
                let key = self::key(key);
                let fence = self.cache.fence(&key).wait().expect("a fence");
                self.loads.push((key, fence));
                String::new()
            }
            Op::Publish { load, fresh, stale, tags } => {
                if self.loads.is_empty() {
                    return String::new();
                }
                let (key, fence) = self.loads.remove(usize::from(load) % self.loads.len());
                let stored =
                    self.set(&key, &format!("load {step}"), (fresh, stale), tags, (Some(fence), false));
                self.cache.release(&key, fence);
                // Whether a load that may be stored stale only, with no stale window, is stored for no time or
                // not at all, nobody can tell.
                if stale == 0 { String::new() } else { stored }
            }
            Op::Advance(_) => String::new(),
        }
    }

    /// All that can be seen of the keys.
    fn seen(&self) -> Vec<String> {
        let read = |key: u8| {
            let key = self::key(key);
            // Before `get`, which may tidy up.
            let fresh = self.cache.fresh(&key).map(|value| value.downcast::<String>().ok());
            let entry = self.cache.get(&key, Kind::of::<String>()).wait().expect("readable");
            let entry = entry.map(|entry| {
                let integer = entry.value.as_integer();
                let text = entry.value.downcast::<String>().ok();
                (text, integer, entry.left, entry.stale_for, entry.age)
            });
            // At a glance a backend may know nothing, but nothing else.
            let glance = fresh.is_none_or(|fresh| {
                let same =
                    |(text, _, left, ..): &(_, _, Lifetime, _, _)| *text == fresh && !left.fresh.is_zero();
                // Or it has been evicted in between.
                entry.as_ref().map_or_else(|| self.cache.fresh(&key).is_none(), same)
            });
            format!("{key}: {entry:?} {glance} {:?}", self.cache.ttl(&key).wait())
        };
        (0..KEYS).map(read).collect()
    }
}

/// Drives a backend and [`Plain`] through the same random operations, and panics where the two differ, with the
/// shortest sequence of operations that was found.
///
/// `make` makes the backend, empty, with the clock that it is given; it must hold ten entries at least and evict
/// none of so few.
///
/// ```
/// use larder::testing::{Plain, model};
/// model::run(50, |clock| Plain::new(clock.clock()));
/// ```
///
/// # Panics
/// If the backend does anything else than the plain one.
pub fn run<C: Cache>(cases: u32, make: impl Fn(&ManualClock) -> C) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let sequences = prop::collection::vec(ops(), 1..60);
    let outcome = TestRunner::new(config).run(&sequences, |ops| agree(&make, &ops));
    if let Err(difference) = outcome {
        panic!("the backend is not what the model says: {difference}");
    }
}

fn agree<C: Cache>(make: impl Fn(&ManualClock) -> C, ops: &[Op]) -> Result<(), TestCaseError> {
    let clock = ManualClock::new();
    let (subject, plain) = (make(&clock), Plain::new(clock.clock()));
    let mut sides = [&subject as &dyn Cache, &plain].map(|cache| Side { cache, loads: Vec::new() });
    for (step, op) in ops.iter().enumerate() {
        if let Op::Advance(ms) = op {
            clock.advance(Duration::from_millis((*ms).into()));
        }
        let [found, expected] = sides.each_mut().map(|side| side.apply(step, op));
        prop_assert_eq!(found, expected, "the answer (left: the backend's) of step {} {:?}", step, op);
        let [found, expected] = sides.each_ref().map(Side::seen);
        prop_assert_eq!(found, expected, "what is there (left: in the backend) after step {} {:?}", step, op);
    }
    Ok(())
}

/// The same for a backend of so small a capacity that it has to evict. An entry may be missing at any time; it
/// then stays missing until its key is written again, and whatever is there is what the plain backend has.
///
/// # Panics
/// If the backend has what the plain one has not, or had lost before.
pub fn run_evicting<C: Cache>(cases: u32, make: impl Fn(&ManualClock) -> C) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let sequences = prop::collection::vec(ops().prop_map(unconditional), 1..60);
    let outcome = TestRunner::new(config).run(&sequences, |ops| lags(&make, &ops));
    if let Err(difference) = outcome {
        panic!("the backend is not what the model says: {difference}");
    }
}

/// What an operation does must not depend on whether an entry has been evicted.
fn unconditional(op: Op) -> Op {
    match op {
        Op::Set { key, fresh, stale, tags, .. } => Op::Set { key, fresh, stale, tags, if_absent: false },
        Op::Incr { key, .. } => Op::SetCounter { key },
        op => op,
    }
}

fn lags<C: Cache>(make: impl Fn(&ManualClock) -> C, ops: &[Op]) -> Result<(), TestCaseError> {
    let clock = ManualClock::new();
    let (subject, plain) = (make(&clock), Plain::new(clock.clock()));
    let mut sides = [&subject as &dyn Cache, &plain].map(|cache| Side { cache, loads: Vec::new() });
    let nothing: Vec<String> = Side { cache: &Plain::default(), loads: Vec::new() }.seen();
    let mut before = nothing.clone();
    for (step, op) in ops.iter().enumerate() {
        if let Op::Advance(ms) = op {
            clock.advance(Duration::from_millis((*ms).into()));
        }
        let written = format!("{:?}", Ok::<_, crate::Error>(Stored::Yes));
        let [found, expected] = sides.each_mut().map(|side| side.apply(step, op));
        let stored = found == written;
        prop_assert!(!stored || expected == written, "step {} {:?} was stored, and must not be", step, op);
        let [mut found, expected] = sides.each_ref().map(Side::seen);
        for _ in 0..3 {
            // An entry may be evicted while it is being looked at; what is wrong stays so.
            if found.iter().zip(&expected).zip(&nothing).any(|((it, right), none)| it != right && it != none)
            {
                found = sides[0].seen();
            }
        }
        for (key, there) in found.iter().enumerate() {
            prop_assert!(
                *there == expected[key] || *there == nothing[key],
                "after step {} {:?} there is {}, which should be {}",
                step,
                op,
                there,
                expected[key]
            );
            let came_back = *there != nothing[key] && before[key] == nothing[key] && !stored;
            prop_assert!(
                !came_back || matches!(op, Op::Publish { .. }),
                "step {} {:?} brought back {}",
                step,
                op,
                there
            );
        }
        before = found;
    }
    Ok(())
}
