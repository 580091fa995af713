//! Whether what the processes saw is what was promised (`docs/coherence.md`).
//!
//! The rules are those of `simulation/src/check.rs`; what stands instead of its bounds is another matter, for here nobody
//! knows how long a word is under way, or when the machine itself stood still. So most rules have no bound at all, but an
//! order: what had returned before a read began. And where there is one, it is what larder promises by the clock of the
//! process that reads, which has to be right however late everybody is.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use crate::fault::{Fault, What};
use crate::node::CUT_OFF;
use crate::record::{At, Change, Event, Read, Who};

/// So long a copy is believed at most after the last word of Redis: two seconds until a loss is noticed, and what the
/// process was told.
const BELIEVED: Duration = Duration::from_secs(2).saturating_add(CUT_OFF);
/// For the thread that keeps the time of a process to have its turn.
const TURN: Duration = Duration::from_secs(1);
/// Within that a process is connected again once nothing is wrong, or says that it is not.
const RECOVERY: Duration = Duration::from_secs(5);
/// Notices take milliseconds; a machine that stands still for so long, with nothing done to anybody, is too busy.
const NOTICED: Duration = Duration::from_secs(2);

/// Longer than anybody is stopped between having changed the truth and saying so.
const A_MINUTE: Duration = Duration::from_secs(60);

/// Everything that happened, sorted out.
#[derive(Default)]
pub(crate) struct History {
    reads: Vec<(Who, Read)>,
    /// Of each key, by version.
    changes: HashMap<usize, Vec<Told>>,
    loads: HashMap<(Who, u64), (At, At)>,
    seen: HashMap<Who, Vec<(At, At)>>,
    works: usize,
    faults: Vec<Fault>,
}

/// A change, as it concerns one key.
#[derive(Clone, Debug)]
struct Told {
    who: Who,
    version: u64,
    /// From when Redis has it, if it ever had.
    known: Option<At>,
    change: Rc<Change>,
}

impl History {
    pub(crate) fn new(events: Vec<(Who, Event)>, faults: Vec<Fault>) -> Self {
        let (mut history, mut changes, mut delivered) =
            (Self { faults, ..Self::default() }, Vec::new(), HashMap::new());
        for (who, event) in events {
            match event {
                Event::Read(read) => history.reads.push((who, read)),
                Event::Change(change) => changes.push((who, change)),
                Event::Delivered { number, at } => drop(delivered.insert((who, number), at)),
                Event::Load { number, start, end } => drop(history.loads.insert((who, number), (start, end))),
                Event::Seen { taken, end } => history.seen.entry(who).or_default().push((taken, end)),
                Event::Works => history.works += 1,
            }
        }
        for (who, change) in changes {
            let known = match change.error {
                None => Some(change.end),
                Some(_) => delivered.get(&(who, change.number)).copied(),
            };
            let change = Rc::new(change);
            for (key, version) in change.keys.clone() {
                let told = Told { who, version, known, change: change.clone() };
                history.changes.entry(key).or_default().push(told);
            }
        }
        history.changes.values_mut().for_each(|changes| changes.sort_by_key(|told| told.version));
        history
    }

    /// The reads that were given what they should not have been, in words.
    pub(crate) fn broken(&self) -> Vec<String> {
        self.reads.iter().filter_map(|(who, read)| self.stale(*who, read)).collect()
    }

    /// How many reads were answered from memory.
    pub(crate) fn near(&self) -> usize {
        self.reads.iter().filter(|(_, read)| read.near).count()
    }

    /// How many versions were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        let all = self.changes.values().flatten();
        all.filter(|told| told.change.acked && told.change.error.is_none()).count()
    }

    /// How many Redis did not get at once.
    fn late(&self) -> usize {
        self.changes.values().flatten().filter(|told| told.change.error.is_some()).count()
    }

    pub(crate) fn summary(&self) -> String {
        let changes: usize = self.changes.values().map(Vec::len).sum();
        let seen: usize = self.seen.values().map(Vec::len).sum();
        format!(
            "{} reads, {} from memory; {changes} versions, {} acknowledged, {} late; {} loads, {seen} tokens; {} faults; {} ended well",
            self.reads.len(),
            self.near(),
            self.acknowledged(),
            self.late(),
            self.loads.len(),
            self.faults.len(),
            self.works,
        )
    }

    fn stale(&self, who: Who, read: &Read) -> Option<String> {
        if read.got.key != read.key {
            return Some(format!("somebody else's value: {who:?} {read:?}"));
        }
        let changes = self.changes.get(&read.key)?;
        let newer = changes.partition_point(|told| told.version <= read.got.version);
        // What was changed long after the read says nothing about it.
        let mut newer =
            changes[newer..].iter().take_while(|told| told.change.start < read.start.plus(A_MINUTE));
        newer.find_map(|told| {
            let guarantee = self.hides(told, who, read)?;
            let load = self.load(read);
            Some(format!("{guarantee}: {who:?} {read:?}\n  loaded {load:?}\n  after {told:?}"))
        })
    }

    /// Which promise says that `read` gives nothing older than `told`.
    fn hides(&self, told: &Told, who: Who, read: &Read) -> Option<&'static str> {
        if told.who == who && read.start > told.change.end {
            return Some(if told.change.error.is_none() { "G1" } else { "G4" });
        }
        let known = told.known.filter(|known| read.start > *known)?;
        let presented = |(taken, end): &(At, At)| *taken > known && *end < read.start;
        if self.seen.get(&who).is_some_and(|seen| seen.iter().any(presented)) {
            return Some("token");
        }
        if self.has_just_gone_on(who, read) {
            return None;
        }
        if told.change.acked && told.change.error.is_none() && !self.is_loaded_while_cut_off(who, read) {
            return Some("acked");
        }
        let since = read.start.since(known);
        let (start, end) = self.load(read).unwrap_or((known, known));
        if since > BELIEVED + end.since(start) + TURN {
            return Some("G3");
        }
        let is_calm = !self
            .faults
            .iter()
            .any(|fault| fault.from < read.start && fault.until.plus(RECOVERY) > told.change.start);
        (is_calm && since > NOTICED + end.since(start)).then_some("G2")
    }

    fn load(&self, read: &Read) -> Option<(At, At)> {
        self.loads.get(&(read.got.who, read.got.load)).copied()
    }

    /// A process that was stopped for longer than its lease serves what it had until its clock has been looked at.
    fn has_just_gone_on(&self, who: Who, read: &Read) -> bool {
        self.faults.iter().any(|fault| {
            fault.what == What::Pause
                && fault.number == who.node
                && fault.until.since(fault.from) > Duration::from_secs(1)
                && read.start >= fault.from
                && read.start < fault.until.plus(TURN)
        })
    }

    /// What a process loads itself while it is cut off it believes for a while, whatever others have acknowledged since.
    fn is_loaded_while_cut_off(&self, who: Who, read: &Read) -> bool {
        let Some((start, end)) = self.load(read).filter(|_| read.got.who == who) else { return false };
        let is_believed = read.start < end.plus(CUT_OFF + TURN);
        is_believed
            && self.faults.iter().any(|fault| {
                fault.troubles(who.node) && fault.from < read.start && fault.until.plus(RECOVERY) > start
            })
    }
}
