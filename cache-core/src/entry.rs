//! What backends give and take: an entry with both its deadlines.

use std::time::Duration;

use crate::coherence::Coherence;
use crate::deadline::{Freshness, Lifetime};
use crate::fence::Fence;
use crate::value::Value;

/// The tier that a value came from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
pub enum Tier {
    /// In this process.
    L1,
    /// Remote.
    L2,
}

/// An entry as a backend hands it out: never one that has expired.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// What is left of both deadlines; `fresh` is zero once the entry is stale.
    pub left: Lifetime,
    /// For how long it has been stale; zero while it is fresh.
    pub stale_for: Duration,
    /// The time since its value was stored.
    pub age: Duration,
    /// For how long yet [`Cache::fresh`](crate::Cache::fresh) may answer with it, as it was stored; no limit where that is
    /// not known.
    pub glance: Duration,
    /// Where it was found.
    pub tier: Tier,
    /// How it came about, as it was stored.
    pub origin: Origin,
    /// The tags that it was stored with.
    pub tags: Vec<Box<str>>,
}

/// How a value came about. Backends keep it with the entry and hand it back; they do not look into it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Origin {
    /// How long it took to load; zero if it was set.
    pub cost: Duration,
    /// The version of what it means (`Policy::version`); zero if it has none.
    pub version: u32,
    /// How old it was when it was put where it is: zero, but for the copy that a tier in front takes of what it found
    /// behind it. [`Entry::age`] does not count it.
    pub age: Duration,
    /// Which tiers it is for, where there are two.
    pub tiers: Tiers,
}

/// Which tiers of a [`Tiered`](crate::Tiered) cache an entry is for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Tiers {
    /// Both.
    #[default]
    Both,
    /// Not for the one behind (`Policy::skip_l2`).
    L1,
    /// Not for the one in front (`Policy::skip_l1`).
    L2,
}

impl Entry {
    /// Fresh or stale.
    pub fn freshness(&self) -> Freshness {
        if self.left.fresh.is_zero() { Freshness::Stale } else { Freshness::Fresh }
    }

    /// Whether a reader who wants nothing older than `limit` refuses it. At zero none is young enough, whatever the
    /// clock's step.
    pub(crate) fn is_too_old(&self, limit: Duration) -> bool {
        limit.is_zero() || self.age > limit
    }
}

/// How to store a value.
#[derive(Clone, Debug)]
pub struct Set<'a> {
    /// How long it lives.
    pub lifetime: Lifetime,
    /// For how long [`Cache::fresh`](crate::Cache::fresh) may answer with it; later reads ask
    /// [`get`](crate::Cache::get), which tells more. No more than `lifetime.fresh` counts.
    pub glance: Duration,
    /// To be kept with the entry.
    pub origin: Origin,
    /// Its tags, each to be invalidated by.
    pub tags: &'a [Box<str>],
    /// Store only if this still holds; `None` stores in any case, and voids the fences of running loads.
    pub fence: Option<Fence>,
    /// Store only where there is nothing fresh.
    pub if_absent: bool,
}

impl Set<'_> {
    /// In any case, without tags.
    pub const fn new(lifetime: Lifetime) -> Self {
        let origin = Origin { cost: Duration::ZERO, version: 0, age: Duration::ZERO, tiers: Tiers::Both };
        Self { lifetime, glance: Duration::MAX, origin, tags: &[], fence: None, if_absent: false }
    }
}

/// What became of a [`Cache::set`](crate::Cache::set).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stored {
    /// The value is stored.
    Yes,
    /// Its fence no longer holds: something invalidated it while it was being loaded.
    Fenced,
    /// `if_absent` was asked, and a fresh entry is there.
    Exists,
}

/// What a backend holds, and what has left it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Entries held, stale ones included.
    pub entries: u64,
    /// What they weigh together, in the unit of the backend's capacity.
    pub weight: u64,
    /// Entries that gave way to others since the start.
    pub evictions: u64,
    /// Entries whose time was over since the start.
    pub expirations: u64,
    /// What is known of how its copies agree with what others change.
    pub coherence: Coherence,
}

impl Usage {
    /// Whether it says nothing of what is held: a backend that cannot know leaves all of that at zero.
    pub fn is_unknown(&self) -> bool {
        Self { coherence: Coherence::default(), ..*self } == Self::default()
    }
}
