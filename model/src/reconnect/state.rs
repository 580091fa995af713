//! What there is: the connection, what is on its way over it, and what both sides know.

use std::collections::VecDeque;
use std::mem;

use crate::near::{Fence, Near};

/// The connection.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) enum Line {
    #[default]
    Up,
    /// Nothing arrives any more, and nobody has noticed.
    Broken,
    Down,
    Greeted,
    /// Redis tells over it what others change.
    Told,
}

/// What is sent, or stands in the buffers of an old connection.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Command {
    /// What stands there?
    Get,
    /// The invalidation of what is older than this.
    Remove(u8),
    /// A plain `set` of this version.
    Set(u8),
}

/// What comes over the connection.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Told {
    Found(Option<u8>),
    Done,
    Notice,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Reader {
    /// With what he may not be given any more: older than that.
    Asked(Fence, u8),
    Answered(Fence, u8),
    /// He has asked for how long a copy is trusted: it is capped or not.
    Knows(Fence, u8, bool),
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Change {
    Written(u8),
    Called(Command, u8),
}

/// All there is.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct State {
    pub(super) source: u8,
    pub(super) far: Option<u8>,
    /// What is in far by right is not older than this.
    pub(super) removed: u8,
    pub(super) snapshot: Option<Option<u8>>,
    pub(super) failed_over: bool,
    /// It is another server than when we greeted last.
    pub(super) another: bool,
    pub(super) line: Line,
    pub(super) tracked: bool,
    pub(super) breaks: u8,
    pub(super) sent: Vec<Command>,
    pub(super) stream: VecDeque<Told>,
    /// In the buffers of connections that are no more.
    pub(super) late: Vec<Command>,
    pub(super) queue: VecDeque<u8>,
    pub(super) near: Near,
    /// The copy is trusted for a while only.
    pub(super) is_capped: bool,
    /// The channel is lost; and what was trusted then is trusted no more.
    pub(super) cut_off: bool,
    pub(super) over: bool,
    pub(super) reader: Option<Reader>,
    pub(super) change: Option<Change>,
    /// What returned here (also as queued) makes older ones than this invalid.
    pub(super) floor: u8,
    pub(super) misled: bool,
    pub(super) was_late: bool,
}

impl State {
    pub(super) fn tell(&mut self) {
        // Twice with nothing in between is once.
        if self.tracked && self.stream.back() != Some(&Told::Notice) {
            self.stream.push_back(Told::Notice);
        }
    }

    pub(super) fn flush(&mut self) {
        self.near.strike();
        self.is_capped = false;
    }

    pub(super) fn put(&mut self, fence: Fence, version: u8, capped: bool) {
        if self.near.put(fence, version) {
            self.is_capped = capped;
        }
    }

    pub(super) fn lose(&mut self) {
        self.line = Line::Broken;
        self.tracked = false;
        self.stream.clear();
        self.leave();
    }

    /// What was sent and not done stands in the buffers of a connection that is no more.
    pub(super) fn leave(&mut self) {
        let sent = mem::take(&mut self.sent);
        self.late.extend(sent.into_iter().filter(|command| *command != Command::Get));
        self.late.sort_unstable();
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.change, Some(Change::Called(..)))
    }

    pub(super) fn is_setting(&self) -> bool {
        matches!(self.change, Some(Change::Called(Command::Set(_), _)))
    }

    /// Done over a connection of ours, by the program's will.
    pub(super) fn execute(&mut self, command: Command) {
        match command {
            Command::Get => {}
            Command::Remove(version) => {
                self.far = None;
                self.removed = self.removed.max(version);
            }
            Command::Set(version) => {
                self.far = Some(version);
                self.removed = self.removed.max(version);
            }
        }
    }
}
