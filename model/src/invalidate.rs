//! What stands under a key in Redis, and late loads: sentences 3 and 6 of `docs/coherence.md`; G2 for Redis, and the half of
//! G5 that always holds (one publication per lease, and none over a later one's).
//!
//! The scripts `lease`, `store` and `soften` of `backend-redis/src/stored/scripts`, commands of anybody (`DEL`, `SET`), and
//! loads of several processes. Each script is one step, as Redis runs it. Slots begin at a random number, so the leases of
//! one that is gone are good in no other: here each slot has a name of its own.

use crate::check::{Claim, Model};

/// What keeps late loads out; each can be taken away.
#[derive(Clone, Copy, Debug)]
pub struct Mechanisms {
    /// `store` looks at the lease.
    pub checked: bool,
    /// The lease is taken before the source is read.
    pub taken_before: bool,
    /// It stands in what stands under the key, so that whatever removes that removes it. Else it stands beside, and goes
    /// only with what larder removes.
    pub in_the_slot: bool,
    /// A slot that is made anew begins at another number.
    pub begins_at_random: bool,
    /// A publication voids its own lease, and all before it.
    pub used_up: bool,
    /// Marking stale is noted for the loads under way.
    pub softens_loads: bool,
}

impl Mechanisms {
    /// As it is built.
    pub const ALL: Self = Self {
        checked: true,
        taken_before: true,
        in_the_slot: true,
        begins_at_random: true,
        used_up: true,
        softens_loads: true,
    };
}

/// The model, and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Invalidate {
    /// Loads at once, each of another process.
    pub loads: usize,
    /// How often the source is changed.
    pub versions: u8,
    /// What is in force.
    pub with: Mechanisms,
}

/// A value, as it was published.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Entry {
    version: u8,
    fresh: bool,
    /// The loads that began before its own, one bit each.
    older: u8,
}

/// What stands under the key.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
struct Slot {
    /// Nothing: a place that loads hold.
    entry: Option<Entry>,
    /// The leases that are good, in the order in which they were given: those after `from`, up to `last`.
    leases: Vec<Lease>,
}

/// By the load that has it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Lease {
    of: usize,
    /// Up to `soft`: for stale values alone.
    soft: bool,
}

/// Where a load is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Load {
    Idle,
    Leased,
    /// With what it read; and whether it has its lease, as it should.
    Brought(u8, bool),
}

/// How a change of the source reaches the cache.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum How {
    /// `invalidate`: `UNLINK`.
    Remove,
    /// `mark_stale`: the script `soften`.
    Soften,
    /// `DEL` by a program that knows nothing of larder.
    Raw,
    /// A plain `set` of the new value: `SET` of a whole new slot.
    Set,
}

/// All there is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct State {
    source: u8,
    slot: Option<Slot>,
    /// Leases of slots that are gone, where those count again by mistake.
    ghosts: Vec<Lease>,
    loads: Vec<Load>,
    /// Written to the source, and not told to the cache.
    pending: Option<u8>,
    /// What was removed is older than this; what was marked stale, than that.
    removed: u8,
    softened: u8,
    /// A load has replaced what a later one had published.
    went_back: bool,
    fenced: bool,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// A load takes its lease.
    Lease(usize),
    /// It reads the source.
    Read(usize),
    /// It publishes.
    Store(usize),
    /// It ends without.
    GiveUp(usize),
    /// Somebody changes the source.
    Write,
    /// And tells the cache, in this way.
    Tell(How),
    /// What is there expires, or is evicted.
    Expire,
}

impl Invalidate {
    fn store(&self, state: &mut State, of: usize, version: u8) {
        let slot = state.slot.get_or_insert_default();
        let place = slot.leases.iter().position(|lease| lease.of == of);
        if self.with.checked && place.is_none() {
            // `store` makes no slot where there is none.
            state.fenced = true;
            if slot.entry.is_none() && slot.leases.is_empty() {
                state.slot = None;
            }
            return;
        }
        let soft = place.is_some_and(|place| slot.leases[place].soft);
        state.went_back |= slot.entry.is_some_and(|entry| entry.older & 1 << of != 0);
        let older = slot.leases.iter().take(place.unwrap_or(0)).fold(0, |older, lease| older | 1 << lease.of);
        slot.entry = Some(Entry { version, fresh: !soft, older });
        if let Some(place) = place.filter(|_| self.with.used_up) {
            slot.leases.drain(..=place);
        }
    }

    fn tell(&self, state: &mut State, how: How, version: u8) {
        let gone = |slot: Option<Slot>| slot.map(|slot| slot.leases).unwrap_or_default();
        match how {
            How::Remove | How::Raw | How::Set => {
                state.removed = version;
                let leases = gone(state.slot.take());
                if !self.with.in_the_slot && how == How::Raw {
                    // Beside, they are still there.
                    state.slot = Some(Slot { entry: None, leases });
                } else {
                    self.bury(state, leases);
                }
                if how == How::Set {
                    let entry = Some(Entry { version, fresh: true, older: 0 });
                    let leases = state.slot.take().map(|slot| slot.leases).unwrap_or_default();
                    state.slot = Some(Slot { entry, leases });
                }
            }
            How::Soften => {
                state.softened = version;
                let Some(slot) = &mut state.slot else { return };
                if let Some(entry) = &mut slot.entry {
                    entry.fresh = false;
                }
                if self.with.softens_loads {
                    slot.leases.iter_mut().for_each(|lease| lease.soft = true);
                }
            }
        }
    }

    fn bury(&self, state: &mut State, leases: Vec<Lease>) {
        if !self.with.begins_at_random {
            state.ghosts.extend(leases);
        }
    }

    fn lease(&self, state: &mut State, of: usize) {
        let slot = state.slot.get_or_insert_default();
        if let Some(ghost) = (!state.ghosts.is_empty()).then(|| state.ghosts.remove(0)) {
            // The number that is given now, another load has already.
            slot.leases.push(ghost);
        }
        slot.leases.push(Lease { of, soft: false });
    }
}

impl State {
    fn there(&self) -> Option<Entry> {
        self.slot.as_ref().and_then(|slot| slot.entry)
    }

    fn end(&mut self, of: usize) {
        self.loads[of] = Load::Idle;
        if let Some(slot) = &mut self.slot {
            slot.leases.retain(|lease| lease.of != of);
            if let Some(entry) = &mut slot.entry {
                entry.older &= !(1 << of);
            }
            if slot.entry.is_none() && slot.leases.is_empty() {
                self.slot = None;
            }
        }
        self.ghosts.retain(|lease| lease.of != of);
    }
}

impl Model for Invalidate {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        let (loads, ghosts) = (vec![Load::Idle; self.loads], Vec::new());
        let (removed, softened) = (0, 0);
        let (went_back, fenced) = (false, false);
        let pending = None;
        State { source: 0, slot: None, ghosts, loads, pending, removed, softened, went_back, fenced }
    }

    fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        for (at, load) in state.loads.iter().enumerate() {
            match load {
                Load::Idle if self.with.taken_before => steps.push(Step::Lease(at)),
                Load::Leased | Load::Idle => steps.push(Step::Read(at)),
                Load::Brought(_, true) => steps.push(Step::Store(at)),
                Load::Brought(_, false) => steps.push(Step::Lease(at)),
            }
            if *load != Load::Idle {
                steps.push(Step::GiveUp(at));
            }
        }
        match state.pending {
            None if state.source < self.versions => steps.push(Step::Write),
            None => {}
            Some(_) => steps.extend([How::Remove, How::Soften, How::Raw, How::Set].map(Step::Tell)),
        }
        if state.slot.is_some() {
            steps.push(Step::Expire);
        }
    }

    fn take(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Lease(at) => {
                self.lease(state, at);
                state.loads[at] = match state.loads[at] {
                    Load::Brought(version, _) => Load::Brought(version, true),
                    _ => Load::Leased,
                };
            }
            Step::Read(at) => {
                state.loads[at] = Load::Brought(state.source, state.loads[at] == Load::Leased);
            }
            Step::Store(at) => {
                let Load::Brought(version, _) = state.loads[at] else { return None };
                self.store(state, at, version);
                state.end(at);
            }
            Step::GiveUp(at) => state.end(at),
            Step::Write => {
                state.source += 1;
                state.pending = Some(state.source);
            }
            Step::Tell(how) => {
                let version = state.pending.take()?;
                self.tell(state, how, version);
            }
            Step::Expire => {
                let leases = state.slot.take().map(|slot| slot.leases).unwrap_or_default();
                self.bury(state, leases);
            }
        }
        Some(())
    }

    fn always(&self) -> Vec<Claim<Self>> {
        vec![
            (REMOVED, |_, state: &State| state.there().is_none_or(|entry| entry.version >= state.removed)),
            (SOFTENED, |_, state: &State| {
                state.there().is_none_or(|entry| !entry.fresh || entry.version >= state.softened)
            }),
            (ORDER, |_, state: &State| !state.went_back),
        ]
    }

    fn sometimes(&self) -> Vec<Claim<Self>> {
        vec![
            ("a load is fenced", |_, state: &State| state.fenced),
            ("something stale is published", |_, state: &State| {
                state.there().is_some_and(|entry| !entry.fresh && entry.version < state.softened)
            }),
            ("the newest is there", |model: &Self, state: &State| {
                state.there().is_some_and(|entry| entry.fresh && entry.version == model.versions)
            }),
        ]
    }
}

/// G2.
pub const REMOVED: &str = "nothing stands there that is older than what was removed";
/// G1 of `mark_stale`.
pub const SOFTENED: &str = "nothing fresh stands there that is older than what was marked stale";
/// Sentence 5.
pub const ORDER: &str = "no load replaces what a later one has published";
