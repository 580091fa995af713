//! After a failed load, the stale value stands in for a while before the load is tried again.

use std::time::Duration;

use super::Job;
use crate::clock::Time;
use crate::pattern::Pattern;
use crate::sync::DashMap;
use crate::target::Target;
use crate::value::Cacheable;

/// How long a failed load is not tried again, where a stale value can stand in; at most the stale window.
const THROTTLE: Duration = Duration::from_secs(30);
/// How many keys can be throttled at once; loads of further ones are tried each time.
const CAPACITY: usize = 16_384;

/// The keys whose last load failed, each until when it is not tried again.
#[derive(Default)]
pub(in crate::engine) struct Throttle(DashMap<Box<str>, Time>);

impl Throttle {
    /// Whoever changes `target` lets its loads be tried at once.
    pub(in crate::engine) fn lift(&self, target: Target<'_>) {
        if self.0.is_empty() {
            return;
        }
        match target {
            Target::Key(key) => drop(self.0.remove(key)),
            Target::Pattern(pattern) => match Pattern::new(pattern) {
                Ok(pattern) => self.0.retain(|key, _| !pattern.matches(key.as_bytes())),
                Err(_) => self.0.clear(),
            },
            Target::Tag(_) | Target::All => self.0.clear(),
        }
    }
}

impl<T: Cacheable, O, E> Job<'_, T, O, E> {
    pub(super) fn is_throttled(&self) -> bool {
        let table = &self.engine.shared.throttle.0;
        if table.is_empty() {
            return false;
        }
        let now = self.engine.shared.clock.now();
        table.remove_if(self.key, |_, until| *until <= now);
        table.contains_key(self.key)
    }

    pub(super) fn throttle(&self) {
        let time = THROTTLE.min(self.policy.sie_window().max(self.policy.swr_window()));
        if time.is_zero() {
            return;
        }
        let table = &self.engine.shared.throttle.0;
        let now = self.engine.shared.clock.now();
        if table.len() >= CAPACITY {
            table.retain(|_, until| *until > now);
        }
        if table.len() < CAPACITY {
            table.insert(self.key.into(), now + time);
        }
    }
}
