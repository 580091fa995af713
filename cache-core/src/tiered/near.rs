//! The tier in this process, and for how long it is believed.

use std::sync::Arc;
use std::time::Duration;

use super::trust::Trust;
use crate::cache::Cache;
use crate::entry::{Entry, Set, Stored, Tiers};
use crate::fence::Fence;
use crate::listener::Listeners;
use crate::target::{Strength, Target};
use crate::value::{Kind, Value};

/// Everything there is. Unlike [`Target::All`], which frees memory at once, a pattern costs the same however much is there.
const EVERYTHING: Target<'static> = Target::Pattern("*");

/// See the module. Its store answers at once; what it cannot do costs a copy, no more.
pub(super) struct Near {
    pub(super) cache: Arc<dyn Cache>,
    pub(super) trust: Trust,
    ttl: Duration,
    /// Those behind whom this tier stands: they hear of a change when it is handled here.
    pub(super) listeners: Listeners,
}

/// Which tiers `value` is kept in, by what it is and by what its policy says.
pub(super) fn tiers_of(value: &Value, asked: Tiers) -> Tiers {
    if value.as_integer().is_some() {
        // Its next value is far's to say.
        Tiers::L2
    } else if value.kind().is_local() {
        Tiers::L1
    } else {
        asked
    }
}

/// Whether near alone has a say over it.
pub(super) fn is_here_alone(entry: &Entry) -> bool {
    tiers_of(&entry.value, entry.origin.tiers) == Tiers::L1
}

impl Near {
    pub(super) fn new(cache: Arc<dyn Cache>, trust: Trust, ttl: Duration) -> Self {
        Self { cache, trust, ttl, listeners: Listeners::default() }
    }

    /// The hit path.
    #[inline]
    pub(super) fn fresh(&self, key: &str) -> Option<Value> {
        if self.trust.stands() { self.cache.fresh(key) } else { None }
    }

    /// What is there of `key` and still believed, with its true age.
    pub(super) fn held(&self, key: &str, kind: &'static Kind) -> Option<Entry> {
        self.renew();
        let mut entry = self.cache.get(key, kind).wait().ok()??;
        if entry.age >= self.limit() {
            return None;
        }
        entry.age = entry.age.saturating_add(std::mem::take(&mut entry.origin.age));
        Some(entry)
    }

    /// For how long what is there is believed from when it was put there.
    fn limit(&self) -> Duration {
        self.ttl.min(self.trust.limit())
    }

    /// Throws out what is not believed any more.
    pub(super) fn renew(&self) {
        self.trust.renew(|| self.flush());
    }

    pub(super) fn flush(&self) {
        self.strike(EVERYTHING, Strength::Remove);
    }

    pub(super) fn strike(&self, target: Target<'_>, strength: Strength) {
        // What is wrong with the target, far says.
        drop(self.cache.invalidate(target, strength).wait());
    }

    /// The same when others did it, on the thread that brings the word.
    pub(super) fn hear(&self, target: Target<'_>, strength: Strength) {
        self.strike(if target == Target::All { EVERYTHING } else { target }, strength);
    }

    pub(super) fn fence(&self, key: &str) -> Option<Fence> {
        self.cache.fence(key).wait().ok()
    }

    /// Puts `value` there, if its fence holds, to be believed as long as may be; `None`: it is not kept at all.
    pub(super) fn put(&self, key: &str, value: Value, set: Set<'_>) -> Option<Stored> {
        let cap = self.ttl.min(self.trust.cap());
        if cap.is_zero() {
            return None;
        }
        let set = Set { glance: set.glance.min(cap), ..set };
        self.cache.set(key, value, set).wait().ok()
    }
}
