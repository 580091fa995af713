//! What backends give and take: an entry with both its deadlines.

use std::time::Duration;

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
    /// Where it was found.
    pub tier: Tier,
}

impl Entry {
    /// Fresh or stale.
    pub fn freshness(&self) -> Freshness {
        if self.left.fresh.is_zero() { Freshness::Stale } else { Freshness::Fresh }
    }
}

/// How to store a value.
#[derive(Clone, Debug)]
pub struct Set<'a> {
    /// How long it lives.
    pub lifetime: Lifetime,
    /// Its tags, each to be invalidated by.
    pub tags: &'a [Box<str>],
    /// Store only if this still holds; `None` stores in any case, and voids the fences of running loads.
    pub fence: Option<Fence>,
    /// Store only where there is nothing fresh.
    pub if_absent: bool,
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
    /// Entries that gave way to others since the start.
    pub evictions: u64,
    /// Entries whose time was over since the start.
    pub expirations: u64,
}
