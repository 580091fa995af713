//! Word of what this process may have done itself: sentence 2 of `docs/coherence.md`, and G2.
//!
//! To load is to change what stands under the key, and Redis tells of that as of anything else. If each such notice struck
//! memory, no load would ever be kept there. So what this process may have done itself is looked at: `key_changed` in
//! `backend-redis/src/io/notices.rs`, `is_as_left` in `operation/lease.rs`, the script `check`. Here is what that may overlook.
//!
//! One process that is told ("we"), with its memory; and others. Fences are in [`crate::fill`], so what we ask and are
//! answered is one step here; it waits until what was told before the answer is handled, or is being looked at.

use crate::check::{Claim, Model};

/// What makes it safe not to strike; each can be taken away.
#[derive(Clone, Copy, Debug)]
pub struct Mechanisms {
    /// What is found is compared with what we left. Else whatever is told of a key that we load is ours.
    pub looked_at: bool,
    /// A load that left nothing has no say: there may be a copy of what others have published since.
    pub nothing_hides_nothing: bool,
    /// A load that ends with nothing strikes memory: what was told while it ran was taken for its own doing.
    pub struck_at_the_end: bool,
    /// What is published is known by its lease.
    pub lease_compared: bool,
    /// What was told before an answer is handled, or being looked at, when whoever waits for the answer goes on.
    pub notices_first: bool,
}

impl Mechanisms {
    /// As it is built.
    pub const ALL: Self = Self {
        looked_at: true,
        nothing_hides_nothing: true,
        struck_at_the_end: true,
        lease_compared: true,
        notices_first: true,
    };
}

/// The model, and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Echo {
    /// How often the source is changed.
    pub versions: u8,
    /// What is in force.
    pub with: Mechanisms,
}

/// What was published, by whose lease (each load has a number of its own), and which of its deadlines it has.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Entry {
    version: u8,
    by: u8,
    shortened: bool,
}

/// What stands under the key.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
struct Slot {
    entry: Option<Entry>,
    /// The leases that are good, the oldest first, by the numbers of their loads.
    leases: Vec<u8>,
}

/// A load under way: its number, and what it has read.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Load {
    number: u8,
    brought: Option<u8>,
}

/// What a load has left under its key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Left {
    Nothing,
    Published(Entry),
}

/// What we have there, or have just had.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Ours {
    Lease(Load),
    Left(Left),
}

/// All there is.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct State {
    source: u8,
    slot: Option<Slot>,
    near: Option<Entry>,
    ours: Option<Load>,
    theirs: Option<Load>,
    loads: u8,
    /// What our last load has left, for as long as it is remembered.
    left: Option<Left>,
    /// Something was told and is not handled; what was invalidated before that is older than this.
    told: Option<u8>,
    /// It is being looked at: as against this.
    looking: Option<(Ours, u8)>,
    pending: Option<u8>,
    removed: u8,
    /// What was invalidated, as far as it is handled here, is older than this.
    floor: u8,
    fenced: bool,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Our load, or refresh, takes its lease.
    Lease,
    /// It reads the source.
    Bring,
    /// It publishes, into memory too.
    Publish,
    /// It fails, and gives its lease back.
    Fail,
    /// What it left is forgotten, as a second is over.
    Forget,
    /// Somebody here reads: from far, into memory.
    Read,
    /// What was told is handled, or looked at.
    Hear,
    /// The answer to that.
    Look,
    /// Somebody else's load takes its lease, and reads the source.
    TheyLease,
    /// It publishes.
    TheyPublish,
    /// Somebody gives the entry an earlier end.
    TheyShorten,
    /// Somebody changes the source.
    TheyWrite,
    /// And invalidates.
    TheyRemove,
}

/// So many loads in all.
const LOADS: u8 = 4;

impl Echo {
    /// `is_as_left`.
    fn is_as_left(&self, slot: Option<&Slot>, ours: Ours) -> bool {
        if !self.with.looked_at {
            return true;
        }
        let entry = slot.and_then(|slot| slot.entry);
        match ours {
            Ours::Lease(Load { number, .. }) => slot.is_some_and(|slot| slot.leases.contains(&number)),
            Ours::Left(Left::Published(left)) => {
                entry.is_some_and(|entry| entry == left || !self.with.lease_compared)
            }
            Ours::Left(Left::Nothing) => entry.is_none(),
        }
    }

    fn hear(&self, state: &mut State) -> Option<()> {
        let floor = state.told.take()?;
        let left = state.left.filter(|left| *left != Left::Nothing || !self.with.nothing_hides_nothing);
        match state.ours.map(Ours::Lease).or(left.map(Ours::Left)) {
            Some(ours) => state.looking = Some((ours, floor)),
            None => state.handled(floor, false),
        }
        Some(())
    }
}

impl State {
    fn handled(&mut self, floor: u8, as_left: bool) {
        if !as_left {
            self.near = None;
        }
        self.floor = self.floor.max(floor);
    }

    fn change(&mut self) {
        self.told = Some(self.removed);
    }

    fn lease(&mut self) -> Load {
        self.loads += 1;
        let slot = self.slot.get_or_insert_default();
        slot.leases.push(self.loads);
        let load = Load { number: self.loads, brought: None };
        self.change();
        load
    }

    /// The script `store`: what stands there then, if it was stored.
    fn store(&mut self, load: Load) -> Option<Entry> {
        let slot = self.slot.as_mut()?;
        let place = slot.leases.iter().position(|lease| *lease == load.number)?;
        slot.leases.drain(..=place);
        slot.entry = Some(Entry { version: load.brought?, by: load.number, shortened: false });
        let entry = slot.entry;
        self.change();
        entry
    }

    /// The script `release`.
    fn release(&mut self, load: Load) {
        let Some(slot) = &mut self.slot else { return };
        if slot.leases.contains(&load.number) {
            slot.leases.retain(|lease| *lease != load.number);
            if slot.leases.is_empty() && slot.entry.is_some() {
                // Where it was to live for long anyway, nothing is written.
                return;
            }
            if slot.leases.is_empty() {
                self.slot = None;
            }
            self.change();
        }
    }

    fn entry(&self) -> Option<Entry> {
        self.slot.as_ref().and_then(|slot| slot.entry)
    }

    fn take_ours(&mut self, with: Mechanisms, step: Step) -> Option<()> {
        match step {
            Step::Lease => self.ours = Some(self.lease()),
            Step::Bring => self.ours.as_mut()?.brought = Some(self.source),
            Step::Publish => {
                let entry = self.ours.and_then(|load| self.store(load));
                self.ours = None;
                self.left = Some(entry.map_or(Left::Nothing, Left::Published));
                // Where it is refused, near is struck.
                self.near = entry;
                self.fenced |= entry.is_none();
            }
            Step::Fail => {
                let load = self.ours.take()?;
                self.release(load);
                self.left = Some(Left::Nothing);
                if with.struck_at_the_end {
                    self.near = None;
                }
            }
            Step::Forget => self.left = None,
            _ => self.near = self.entry(),
        }
        Some(())
    }

    fn take_theirs(&mut self, step: Step) -> Option<()> {
        match step {
            Step::TheyLease => {
                let load = self.lease();
                self.theirs = Some(Load { brought: Some(self.source), ..load });
            }
            Step::TheyPublish => {
                let load = self.theirs.take()?;
                self.store(load);
            }
            Step::TheyShorten => {
                self.slot.as_mut()?.entry.as_mut()?.shortened = true;
                self.change();
            }
            Step::TheyWrite => {
                self.source += 1;
                self.pending = Some(self.source);
            }
            _ => {
                self.removed = self.pending.take()?;
                // Of what is not there nothing is told.
                if self.slot.take().is_some() {
                    self.change();
                }
            }
        }
        Some(())
    }
}

impl Model for Echo {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        State::default()
    }

    fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        let mut may = |step, so| {
            if so {
                steps.push(step)
            }
        };
        let may_begin = state.loads < LOADS;
        let is_told = state.told.is_none() || !self.with.notices_first;
        may(Step::Lease, state.ours.is_none() && may_begin && is_told);
        may(Step::Bring, state.ours.is_some_and(|load| load.brought.is_none()));
        may(Step::Publish, state.ours.is_some_and(|load| load.brought.is_some()) && is_told);
        may(Step::Fail, state.ours.is_some());
        may(Step::Forget, state.left.is_some());
        may(Step::Read, state.near.is_none() && state.entry().is_some() && is_told);
        may(Step::Hear, state.told.is_some() && state.looking.is_none());
        may(Step::Look, state.looking.is_some());
        may(Step::TheyLease, state.theirs.is_none() && may_begin);
        may(Step::TheyPublish, state.theirs.is_some());
        may(Step::TheyShorten, state.entry().is_some_and(|entry| !entry.shortened));
        may(Step::TheyWrite, state.pending.is_none() && state.source < self.versions);
        may(Step::TheyRemove, state.pending.is_some());
    }

    fn take(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Hear => self.hear(state),
            Step::Look => {
                let (ours, floor) = state.looking.take()?;
                let as_left = self.is_as_left(state.slot.as_ref(), ours);
                state.handled(floor, as_left);
                Some(())
            }
            Step::Lease | Step::Bring | Step::Publish | Step::Fail | Step::Forget | Step::Read => {
                state.take_ours(self.with, step)
            }
            _ => state.take_theirs(step),
        }
    }

    fn always(&self) -> Vec<Claim<Self>> {
        vec![
            (HEARD, |_, state| state.near.is_none_or(|copy| copy.version >= state.floor)),
            (SEEN, |_, state| {
                let is_at_rest = state.told.is_none() && state.looking.is_none() && state.ours.is_none();
                !is_at_rest || state.near.is_none() || state.near == state.entry()
            }),
        ]
    }

    fn sometimes(&self) -> Vec<Claim<Self>> {
        vec![
            ("our own publication stays in memory", |_, state| {
                let is_ours = matches!(state.left, Some(Left::Published(left)) if Some(left) == state.near);
                is_ours && state.told.is_none() && state.looking.is_none()
            }),
            ("a load is fenced", |_, state| state.fenced),
            ("what others publish is copied", |_, state| {
                state.near.is_some_and(|copy| copy.by > 1) && state.left == Some(Left::Nothing)
            }),
        ]
    }
}

/// G2.
pub const HEARD: &str =
    "memory has nothing older than what was invalidated by others, once the word of it is handled";
/// Sentence 2 for what others publish, and 4: a copy does not outlive what it is of.
pub const SEEN: &str = "when all is handled and no load is under way here, a copy is what far has";
