//! Both stores against the plain backend, operation by operation, with a clock that is turned by hand.

use std::sync::Arc;
use std::time::Duration;

use backend_memory::Memory;
#[cfg(feature = "moka")]
use backend_memory::Moka;
use cache_core::testing::Plain;
use cache_core::{Cache, Fence, Kind, Lifetime, ManualClock, Set, Strength, Target, Value};
use proptest::prelude::*;

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
            // First of all: `get` would tidy up before it.
            let glance = self.cache.fresh(&key).and_then(|value| value.downcast::<String>().ok());
            let entry = self.cache.get(&key, Kind::of::<String>()).wait().expect("readable");
            let entry = entry.map(|entry| {
                let integer = entry.value.as_integer();
                let text = entry.value.downcast::<String>().ok();
                (text, integer, entry.left, entry.stale_for, entry.age)
            });
            let fresh = self.cache.fresh(&key).and_then(|value| value.downcast::<String>().ok());
            assert!(glance.is_none() || glance == fresh, "{key}: {glance:?} at a glance, {entry:?} by `get`");
            format!("{key}: {entry:?} {fresh:?} {:?}", self.cache.ttl(&key).wait())
        };
        (0..KEYS).map(read).collect()
    }
}

/// Does `ops` to `store` and to the plain backend; what is answered and what is seen must not differ.
fn does_what_the_plain_backend_does(
    store: impl FnOnce(&ManualClock) -> Arc<dyn Cache>,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let clock = ManualClock::new();
    let (store, plain) = (store(&clock), Plain::new(clock.clock()));
    let mut sides = [&*store, &plain].map(|cache| Side { cache, loads: Vec::new() });
    for (step, op) in ops.iter().enumerate() {
        if let Op::Advance(ms) = op {
            clock.advance(Duration::from_millis((*ms).into()));
        }
        let [a, b] = sides.each_mut().map(|side| side.apply(step, op));
        prop_assert_eq!(a, b, "step {} {:?}", step, op);
        let [a, b] = sides.each_ref().map(Side::seen);
        prop_assert_eq!(a, b, "after step {} {:?}", step, op);
    }
    Ok(())
}

/// The same at a capacity below the number of keys: whatever is there is what the plain backend has, and anything may
/// be gone. (Not with operations whose outcome depends on what is there.)
fn says_the_truth_or_nothing(
    store: impl FnOnce(&ManualClock) -> Arc<dyn Cache>,
    ops: &[Op],
) -> Result<(), TestCaseError> {
    let clock = ManualClock::new();
    let (store, plain) = (store(&clock), Plain::new(clock.clock()));
    let mut sides = [&*store, &plain].map(|cache| Side { cache, loads: Vec::new() });
    for (step, op) in ops.iter().enumerate() {
        match op {
            Op::Advance(ms) => clock.advance(Duration::from_millis((*ms).into())),
            Op::Incr { .. } | Op::Expire { .. } | Op::Set { if_absent: true, .. } => continue,
            _ => {}
        }
        for side in &mut sides {
            side.apply(step, op);
        }
        store.usage(); // gives way now rather than later
        let [store, plain] = sides.each_ref().map(Side::seen);
        for (key, (store, plain)) in store.iter().zip(&plain).enumerate() {
            let nothing = store.ends_with(": None None Ok(None)");
            prop_assert!(nothing || store == plain, "step {step} {op:?}: {key} is {store}, not {plain}");
        }
    }
    prop_assert!(store.usage().entries <= 2);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory(ops in prop::collection::vec(ops(), 1..60)) {
        does_what_the_plain_backend_does(
            |clock| Arc::new(Memory::builder().clock(clock.clock()).build()),
            &ops,
        )?;
    }

    // There is room for every key, so moka has no reason to evict.
    #[cfg(feature = "moka")]
    #[test]
    fn moka(ops in prop::collection::vec(ops(), 1..60)) {
        does_what_the_plain_backend_does(
            |clock| Arc::new(Moka::builder().clock(clock.clock()).build()),
            &ops,
        )?;
    }

    #[test]
    fn small_memory(ops in prop::collection::vec(ops(), 1..60)) {
        says_the_truth_or_nothing(
            |clock| Arc::new(Memory::builder().capacity(2).clock(clock.clock()).build()),
            &ops,
        )?;
    }

    #[cfg(feature = "moka")]
    #[test]
    fn small_moka(ops in prop::collection::vec(ops(), 1..60)) {
        says_the_truth_or_nothing(
            |clock| Arc::new(Moka::builder().capacity(2).clock(clock.clock()).build()),
            &ops,
        )?;
    }
}
