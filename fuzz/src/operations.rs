//! Sequences of operations: `Memory` answers as the plain backend does, with a clock that is turned by hand.

use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use backend_memory::Memory;
use cache_core::testing::Plain;
use cache_core::{Cache, Fence, Kind, Lifetime, ManualClock, Set, Strength, Target, Value};

/// Takes operations from `bytes` until they are at an end, does each on both, and compares all that can be seen.
pub fn operations(bytes: &[u8]) {
    let clock = ManualClock::new();
    let memory = Memory::builder().clock(clock.clock()).build();
    let plain = Plain::new(clock.clock());
    let mut sides = [&memory as &dyn Cache, &plain].map(|cache| Side { cache, loads: Vec::new() });
    let mut input = Unstructured::new(bytes);
    let mut step = 0;
    while !input.is_empty()
        && let Ok(operation) = operation(&mut input)
    {
        if let Operation::Advance(ms) = operation {
            clock.advance(Duration::from_millis(ms.into()));
        }
        let [ours, plain] = sides.each_mut().map(|side| side.apply(step, &operation));
        assert_eq!(ours, plain, "step {step}, {operation:?}");
        let [ours, plain] = sides.each_ref().map(Side::seen);
        assert_eq!(ours, plain, "after step {step}, {operation:?}");
        step += 1;
    }
}

const KEYS: [&str; 4] = ["k:a:1", "k:a:2", "k:b:1", "*"];
const TAGS: [&str; 3] = ["one", "two", "three"];
const PATTERNS: [&str; 6] = ["*", "k:*", "k:a:?", "k:[^a]:*", "\\*", "nothing"];

#[derive(Debug)]
enum Operation {
    Set { key: &'static str, windows: Windows, tags: Vec<Box<str>>, if_absent: bool },
    SetCounter { key: &'static str, value: i64 },
    Delete(&'static str),
    Expire { key: &'static str, ms: u16 },
    Incr { key: &'static str, delta: i64, ms: u16 },
    Strike(Target<'static>, Strength),
    Fence(&'static str),
    Publish { load: usize, windows: Windows, tags: Vec<Box<str>> },
    Release { load: usize },
    Advance(u16),
}

/// In milliseconds.
#[derive(Clone, Copy, Debug)]
struct Windows {
    fresh: u16,
    stale: u16,
}

impl Windows {
    fn of(input: &mut Unstructured<'_>) -> Result<Self> {
        Ok(Self { fresh: input.int_in_range(1..=400)?, stale: input.int_in_range(0..=400)? })
    }

    fn lifetime(self) -> Lifetime {
        let fresh = Duration::from_millis(self.fresh.into());
        Lifetime { fresh, total: fresh + Duration::from_millis(self.stale.into()) }
    }
}

fn tags(input: &mut Unstructured<'_>) -> Result<Vec<Box<str>>> {
    let bits: u8 = input.int_in_range(0..=7)?;
    Ok((0..3).filter(|bit| bits >> bit & 1 == 1).map(|bit| TAGS[bit].into()).collect())
}

fn operation(input: &mut Unstructured<'_>) -> Result<Operation> {
    let choice: u8 = input.int_in_range(0..=13)?;
    let key = *input.choose(&KEYS)?;
    Ok(match choice {
        0..=2 => {
            let (windows, tags) = (Windows::of(input)?, tags(input)?);
            Operation::Set { key, windows, tags, if_absent: input.arbitrary()? }
        }
        3 => Operation::SetCounter { key, value: input.arbitrary()? },
        4 => Operation::Delete(key),
        5 => Operation::Expire { key, ms: input.int_in_range(1..=400)? },
        6 => Operation::Incr { key, delta: input.arbitrary()?, ms: input.int_in_range(1..=400)? },
        7 | 8 => {
            let strength = if input.arbitrary()? { Strength::MarkStale } else { Strength::Remove };
            let target = match input.int_in_range(0..=3)? {
                0 => Target::Key(key),
                1 => Target::Tag(input.choose(&TAGS)?),
                2 => Target::Pattern(input.choose(&PATTERNS)?),
                _ => Target::All,
            };
            Operation::Strike(target, strength)
        }
        9 => Operation::Fence(key),
        10 | 11 => {
            Operation::Publish { load: input.arbitrary()?, windows: Windows::of(input)?, tags: tags(input)? }
        }
        12 => Operation::Release { load: input.arbitrary()? },
        _ => Operation::Advance(input.int_in_range(0..=700)?),
    })
}

/// One backend and the loads in flight over it.
struct Side<'s> {
    cache: &'s dyn Cache,
    loads: Vec<(&'static str, Fence)>,
}

impl Side<'_> {
    /// Does `operation` and says what was answered.
    fn apply(&mut self, step: usize, operation: &Operation) -> String {
        let text = |text: String| Value::new(Arc::new(text));
        match operation {
            Operation::Set { key, windows, tags, if_absent } => {
                let set = Set { tags, if_absent: *if_absent, ..Set::new(windows.lifetime()) };
                format!("{:?}", self.cache.set(key, text(format!("set {step}")), set).wait())
            }
            Operation::SetCounter { key, value } => {
                let set = Set::new(Lifetime::FOREVER);
                format!("{:?}", self.cache.set(key, Value::new(Arc::new(*value)), set).wait())
            }
            Operation::Delete(key) => format!("{:?}", self.cache.delete(key).wait()),
            Operation::Expire { key, ms } => {
                format!("{:?}", self.cache.expire(key, Duration::from_millis((*ms).into())).wait())
            }
            Operation::Incr { key, delta, ms } => {
                let lifetime = Windows { fresh: *ms, stale: 0 }.lifetime();
                let sum = self.cache.incr(key, *delta, lifetime).wait();
                format!("{:?}", sum.map_err(|error| error.kind()))
            }
            Operation::Strike(target, strength) => {
                format!("{:?}", self.cache.invalidate(*target, *strength).wait())
            }
            Operation::Fence(key) => {
                let fence = self.cache.fence(key).wait().expect("a fence in process");
                self.loads.push((key, fence));
                String::new()
            }
            Operation::Publish { load, windows, tags } => {
                let Some((key, fence)) = self.take(*load) else { return String::new() };
                let set = Set { tags, fence: Some(fence), ..Set::new(windows.lifetime()) };
                let stored = self.cache.set(key, text(format!("load {step}")), set).wait();
                self.cache.release(key, fence);
                // Whether what may be stored stale only, and has no stale window, was stored for no time or not at
                // all, nobody can tell.
                if windows.stale == 0 { String::new() } else { format!("{stored:?}") }
            }
            Operation::Release { load } => {
                if let Some((key, fence)) = self.take(*load) {
                    self.cache.release(key, fence);
                }
                String::new()
            }
            Operation::Advance(_) => String::new(),
        }
    }

    fn take(&mut self, load: usize) -> Option<(&'static str, Fence)> {
        (!self.loads.is_empty()).then(|| self.loads.remove(load % self.loads.len()))
    }

    /// All that can be seen of the keys.
    fn seen(&self) -> Vec<String> {
        let read = |key: &&str| {
            let entry = self.cache.get(key, Kind::of::<String>()).wait().expect("readable in process");
            let entry = entry.map(|entry| {
                let integer = entry.value.as_integer();
                (entry.value.downcast::<String>().ok(), integer, entry.left, entry.stale_for, entry.age)
            });
            let fresh = self.cache.fresh(key).and_then(|value| value.downcast::<String>().ok());
            format!("{key}: {entry:?} {fresh:?} {:?}", self.cache.ttl(key).wait())
        };
        KEYS.iter().map(read).collect()
    }
}
