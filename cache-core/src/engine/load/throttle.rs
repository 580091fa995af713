//! After a failed load, the stale value stands in for a while before the load is tried again.

use std::time::Duration;

use super::about::About;
use crate::clock::Time;
use crate::pattern::Pattern;
use crate::sync::DashMap;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::target::Target;

/// How long a failed load is not tried again, where a stale value can stand in; at most the stale window.
const THROTTLE: Duration = Duration::from_secs(30);
/// How many keys can be throttled at once; loads of further ones are tried each time.
const CAPACITY: usize = 16_384;

/// The keys whose last load failed, each until when it is not tried again.
#[derive(Default)]
pub(in crate::engine) struct Throttle {
    table: DashMap<Box<str>, Time>,
    /// Whether there ever was one: most caches need not look.
    used: AtomicBool,
}

impl Throttle {
    /// Whoever changes `target` lets its loads be tried at once.
    pub(in crate::engine) fn lift(&self, target: Target<'_>) {
        if !self.used.load(Ordering::Acquire) {
            return;
        }
        match target {
            Target::Key(key) => drop(self.table.remove(key)),
            Target::Pattern(pattern) => match Pattern::new(pattern) {
                Ok(pattern) => self.table.retain(|key, _| !pattern.matches(key.as_bytes())),
                Err(_) => self.table.clear(),
            },
            Target::Tag(_) | Target::All => self.table.clear(),
        }
    }
}

impl About<'_> {
    pub(super) fn is_throttled(&self) -> bool {
        let Throttle { table, used } = &self.engine.shared.throttle;
        if !used.load(Ordering::Acquire) {
            return false;
        }
        let now = self.engine.shared.clock.now();
        table.remove_if(self.key, |_, until| *until <= now);
        table.contains_key(self.key)
    }

    pub(super) fn throttle(&self) {
        let windows = self.policy.sie_window().max(self.policy.swr_window());
        let time = THROTTLE.min(windows.max(self.policy.early_window(self.engine.shared.default_ttl)));
        if !time.is_zero() {
            self.throttle_for(time);
        }
    }

    /// The same for so long, whatever the reason not to try.
    pub(super) fn throttle_for(&self, time: Duration) {
        let Throttle { table, used } = &self.engine.shared.throttle;
        used.store(true, Ordering::Release);
        let now = self.engine.shared.clock.now();
        if table.len() >= CAPACITY {
            table.retain(|_, until| *until > now);
        }
        if table.len() < CAPACITY {
            table.insert(self.key.into(), now + time);
        }
    }
}
