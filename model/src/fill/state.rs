//! What there is: nodes, each with its memory and what is on its way over its connection; Redis; and the source.

use std::collections::VecDeque;

use crate::near::{Fence, Near};

/// What is sent to Redis.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Command {
    /// What stands there?
    Get,
    /// A lease for a load.
    Lease,
    /// What a load brought, under its lease.
    Store(u8),
    /// The invalidation of what is older than this.
    Remove(u8),
}

/// What comes over the connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Told {
    /// To [`Command::Get`].
    Found(Option<u8>),
    /// To [`Command::Lease`].
    Leased,
    /// To [`Command::Store`]: whether it was.
    Stored(bool),
    /// To [`Command::Remove`].
    Removed(u8),
    /// Somebody else has changed the key; what is older than this is invalid.
    Notice(u8),
}

/// A load.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Load {
    /// Both fences are taken: this one is near's.
    Begun(Fence),
    /// Far has given its lease.
    Leased(Fence),
    /// The source is read.
    Brought(Fence, u8),
    /// It is sent to far.
    Published(Fence, u8),
    /// Far has answered whether it stored it.
    Answered(Fence, u8, bool),
}

/// A reader for whom near has nothing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Reader {
    /// Far is asked; with the fence, if it is taken.
    Asked(Option<Fence>),
    /// And has answered.
    Answered(Option<Fence>, u8),
}

/// A change that this process makes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Change {
    /// The source is changed.
    Written(u8),
    /// The invalidation is called.
    Called,
    /// Far has answered.
    Answered(u8),
}

/// One process.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Node {
    pub(super) near: Near,
    pub(super) reader: Option<Reader>,
    pub(super) load: Option<Load>,
    pub(super) change: Option<Change>,
    /// One of each kind at most.
    pub(super) sent: Vec<Command>,
    pub(super) stream: VecDeque<Told>,
    /// What a reader here may not be given any more is older than this.
    pub(super) floor: u8,
    /// Whether near has what it had when the change under way was called.
    pub(super) left: bool,
}

/// All there is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct State {
    pub(super) source: u8,
    pub(super) far: Option<u8>,
    /// Whose leases are good: by node, in the order in which they were given.
    pub(super) leases: Vec<usize>,
    /// What was invalidated in far is older than this.
    pub(super) floor: u8,
    /// What somebody without a cache has written to the source and not yet invalidated.
    pub(super) anybody: Option<u8>,
    pub(super) nodes: Vec<Node>,
}

impl State {
    /// Far changes by the hand of that node, or of nobody known, and all others are told.
    pub(super) fn change(&mut self, far: Option<u8>, floor: u8, by: Option<usize>) {
        self.far = far;
        self.floor = self.floor.max(floor);
        for (at, node) in self.nodes.iter_mut().enumerate() {
            if Some(at) != by {
                node.notify(floor);
            }
        }
    }

    pub(super) fn is_at_rest(&self) -> bool {
        let is_idle = |node: &Node| {
            node.reader.is_none()
                && node.load.is_none()
                && node.change.is_none()
                && node.sent.is_empty()
                && node.stream.is_empty()
        };
        self.anybody.is_none() && self.nodes.iter().all(is_idle)
    }
}

impl Node {
    /// Word of a change. What is told twice with nothing in between is told once, as Redis does it.
    pub(super) fn notify(&mut self, floor: u8) {
        let notice = Told::Notice(floor);
        if self.stream.back() != Some(&notice) {
            self.stream.push_back(notice);
        }
    }

    pub(super) fn strike(&mut self) {
        self.near.strike();
        self.left = false;
    }

    pub(super) fn tidy(&mut self) {
        self.sent.sort_unstable();
        let reader = self.reader.iter_mut().filter_map(|reader| match reader {
            Reader::Asked(fence) | Reader::Answered(fence, _) => fence.as_mut(),
        });
        let load = self.load.iter_mut().map(|load| match load {
            Load::Begun(fence) | Load::Leased(fence) => fence,
            Load::Brought(fence, _) | Load::Published(fence, _) | Load::Answered(fence, ..) => fence,
        });
        self.near.tidy(reader.chain(load));
    }
}
