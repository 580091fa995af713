//! What happened in a run, in the order in which it happened.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment: there is one thread, so everything has its place in one order.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct At {
    /// The place in that order.
    pub number: u64,
    /// The simulated time since the run began.
    pub time: Duration,
}

/// What is cached: which version of a key's truth it is, and which load (or write) brought it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Value {
    /// The key's number.
    pub key: usize,
    /// The version of its truth.
    pub version: u64,
    /// The load that read it; 0 of what was set.
    pub load: u64,
}

/// How a key was read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum How {
    /// `get`.
    Get,
    /// `lookup`, and what its tier was.
    Lookup,
    /// `try_get_or_load`.
    Load,
}

/// A read by a node.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// Who.
    pub node: usize,
    /// Which life of that node.
    pub life: u64,
    /// What.
    pub key: usize,
    /// How.
    pub how: How,
    /// From when.
    pub start: At,
    /// Until when.
    pub end: At,
    /// What it was given.
    pub got: Option<Value>,
}

/// How a change ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Redis has it.
    Done,
    /// It waits, or is not known: delivered at that moment, if ever.
    Late(Option<At>),
}

/// A change of the truth, with the invalidation that goes with it.
#[derive(Clone, Debug)]
pub struct Change {
    /// Who; nobody is a raw client of Redis.
    pub node: Option<usize>,
    /// Which life of that node.
    pub life: u64,
    /// Which keys, and to which version.
    pub keys: Vec<(usize, u64)>,
    /// What was called, in words.
    pub what: String,
    /// When the truth had changed, before the call.
    pub start: At,
    /// When the call had returned.
    pub end: At,
    /// What it returned.
    pub outcome: Outcome,
    /// Whether that is what it returned once everybody had handled it (`acked`).
    pub acked: bool,
}

/// A token that stood for what had been changed was presented.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// To whom.
    pub node: usize,
    /// Which life of that node.
    pub life: u64,
    /// When it was asked for.
    pub taken: At,
    /// When it had been presented.
    pub end: At,
}

/// A load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Its number.
    pub number: u64,
    /// Who loads.
    pub node: usize,
    /// What.
    pub key: usize,
    /// From when.
    pub start: At,
    /// Until when; never, of one whose process died.
    pub end: Option<At>,
    /// The version that it read, if it did.
    pub version: Option<u64>,
}

/// When a node did not run.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    /// Which.
    pub node: usize,
    /// From when.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
}

/// Everything that happened.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Reads, in the order in which they ended.
    pub reads: Vec<Read>,
    /// Changes, in the order in which they ended.
    pub changes: Vec<Change>,
    /// Loads, in the order in which they began.
    pub loads: Vec<Load>,
    /// Tokens, in the order in which they were presented.
    pub seen: Vec<Seen>,
    /// Pauses of nodes, planned and taken.
    pub pauses: Vec<Pause>,
    /// How many entries the memory of each node held in the end.
    pub held: Vec<u64>,
    /// What else went wrong, in words: what hung, what did not come back.
    pub troubles: Vec<String>,
    /// What was done to the world, and when, in words.
    pub faults: Vec<(Duration, String)>,
}
