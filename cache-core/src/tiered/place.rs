//! The way of a copy into memory: from before the store behind is asked, or the source is read, until it is put there.

use std::time::Duration;

use super::near::{Near, tiers_of};
use crate::deadline::{Freshness, Lifetime};
use crate::entry::{Entry, Origin, Set, Stored, Tiers};
use crate::fence::Fence;
use crate::value::Value;

/// A place for a copy of `key`, by its fence; given back when this is dropped.
pub(super) struct Place<'n> {
    near: &'n Near,
    key: Box<str>,
    fence: Option<Fence>,
}

impl<'n> Place<'n> {
    /// To be called before the other store is asked.
    pub(super) fn take(near: &'n Near, key: &str) -> Self {
        Self { near, key: key.into(), fence: near.fence(key) }
    }

    /// The fence, which is now the caller's to give back.
    pub(super) fn into_fence(mut self) -> Option<Fence> {
        self.fence.take()
    }

    /// Copies what far has, for what is left of its life.
    pub(super) fn fill(self, entry: &Entry) {
        if entry.freshness() == Freshness::Stale
            || tiers_of(&entry.value, entry.origin.tiers) != Tiers::Both
            || self.fence.is_none()
        {
            return;
        }
        // What has a version is to be looked at each time.
        let glance = if entry.origin.version == 0 { entry.glance } else { Duration::ZERO };
        let origin = Origin { age: entry.age, ..entry.origin };
        let set = Set { glance, origin, tags: &entry.tags, fence: self.fence, ..Set::new(entry.left) };
        self.near.put(&self.key, entry.value.clone(), set);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(fence) = self.fence {
            self.near.cache.release(&self.key, fence);
        }
    }
}

/// What is to be put into near once far has answered.
pub(super) struct Copied {
    key: Box<str>,
    value: Value,
    tags: Vec<Box<str>>,
    set: Set<'static>,
}

impl Copied {
    /// With `fence` or, if there is none, in any case.
    pub(super) fn new(key: &str, value: &Value, options: &Set<'_>, fence: Option<Fence>) -> Self {
        let Set { lifetime, glance, origin, if_absent, .. } = *options;
        let set = Set { lifetime, glance, origin, tags: &[], fence, if_absent };
        Self { key: key.into(), value: value.clone(), tags: options.tags.to_vec(), set }
    }

    pub(super) fn put(&self, near: &Near) -> Option<Stored> {
        near.put(&self.key, self.value.clone(), Set { tags: &self.tags, ..self.set })
    }

    /// In place of whatever older copy there is, or may still come: far has it. Whether it is there.
    pub(super) fn replace(mut self, near: &Near) -> bool {
        // Who asked far before this was stored there has a fence that is younger than the load's, and older than this one.
        // It is taken before the load's is used, so that no strike falls between the two.
        let later = Place::take(near, &self.key);
        if later.fence.is_none() || self.put(near) != Some(Stored::Yes) {
            return false;
        }
        // The load may have been marked stale, of which the younger fence knows nothing.
        let stored = near.held(&self.key, self.value.kind());
        if stored.is_none_or(|entry| entry.freshness() == Freshness::Stale) {
            return false;
        }
        self.set.fence = later.fence;
        self.put(near) == Some(Stored::Yes)
    }

    /// Where far does not have it: not for longer than copies live while cut off. Whether it is there.
    pub(super) fn put_alone(mut self, near: &Near) -> bool {
        let most = near.trust.alone();
        let Lifetime { fresh, total } = self.set.lifetime;
        self.set.lifetime = Lifetime { fresh: fresh.min(most), total: total.min(most) };
        !most.is_zero() && self.put(near) == Some(Stored::Yes)
    }
}
