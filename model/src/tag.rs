//! Tags: the order, the marks, the recent strikes and the epoch. Sentence 2 of `docs/coherence.md` for tags; G2, "invalidations
//! raise the order first, then mark; readers reject what is older than a mark; a missing or foreign incarnation means
//! invalid".
//!
//! The scripts `marks`, `strike` and `renew`, `publish` of `backend-redis/src/operation/write.rs`, and a read that learns the
//! tags in one round trip and their marks in the next. One entry with one tag; strikes of other tags make the recent ones
//! forget it. Redis may evict the mark, or go back to what it was: a restart from an old snapshot, a replica that takes over.

use crate::check::{Claim, Model};

/// What makes tags hold; each can be taken away.
#[derive(Clone, Copy, Debug)]
pub struct Mechanisms {
    /// A load reads the order before its source.
    pub born_before: bool,
    /// A strike raises the order, so that what is born at the one before is older than the mark.
    pub order_raised: bool,
    /// Where there is no mark, what bears the tag is invalid.
    pub missing_is_invalid: bool,
    /// A mark that is missing is made of what the recent strikes say of the tag.
    pub recent_remembered: bool,
    /// Of a tag that they have forgotten, the latest they have forgotten counts.
    pub forgotten_counts: bool,
    /// A mark is looked up and made in one step. Else a strike can come in between.
    pub made_in_one: bool,
    /// Who finds another server begins a new epoch.
    pub new_epoch: bool,
}

impl Mechanisms {
    /// As it is built.
    pub const ALL: Self = Self {
        born_before: true,
        order_raised: true,
        missing_is_invalid: true,
        recent_remembered: true,
        forgotten_counts: true,
        made_in_one: true,
        new_epoch: true,
    };
}

/// The model, and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    /// How often the source is changed, and the tag struck for it.
    pub versions: u8,
    /// How often other tags are.
    pub others: u8,
    /// Whether Redis may go back to what it was.
    pub fails_over: bool,
    /// What is in force.
    pub with: Mechanisms,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Entry {
    version: u8,
    epoch: u8,
    born: u8,
}

/// What Redis remembers.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Redis {
    epoch: u8,
    sequence: u8,
    /// When the tag was last struck.
    mark: Option<u8>,
    /// The same, among the recent strikes; and the latest of those that are not among them.
    recent: Option<u8>,
    floor: Option<u8>,
    entry: Option<Entry>,
}

/// Where a load is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Load {
    Idle,
    Fenced {
        epoch: u8,
        born: u8,
    },
    Brought {
        version: u8,
        fence: Option<(u8, u8)>,
    },
    /// The mark was looked up, and is missing; made of this it is in the next step.
    Looked {
        entry: Entry,
        hard: u8,
    },
    /// Its mark is there.
    Marked {
        entry: Entry,
    },
}

/// All there is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct State {
    source: u8,
    redis: Redis,
    snapshot: Option<Box<Redis>>,
    failed_over: bool,
    loads: [Load; 2],
    /// Whose leases are good, the oldest first: see [`crate::invalidate`].
    leases: Vec<usize>,
    /// What a reader has found, before he knows its mark; and what may not be given to him.
    reader: Option<(Entry, u8)>,
    pending: Option<u8>,
    /// What was struck is older than this.
    floor: u8,
    others: u8,
    misled: bool,
    /// A valid entry has made way for one that is not.
    displaced: bool,
    fenced: bool,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// A load takes its fence, in which the order is.
    Fence(usize),
    /// It reads the source.
    Read(usize),
    /// It sees to the mark.
    Mark(usize),
    /// The second half of that, where it is two steps.
    MakeMark(usize),
    /// It publishes.
    Store(usize),
    /// Somebody changes the source.
    Write,
    /// And strikes the tag.
    Strike,
    /// Another tag is struck, and the recent strikes remember one at most.
    StrikeAnother,
    /// The mark is evicted.
    Evict,
    /// A reader reads the entry.
    Look,
    /// And its mark.
    Judge,
    /// What Redis will go back to is as it is now.
    Snapshot,
    /// It does. Whoever connects to it first looks who it is.
    FailOver,
}

impl Tag {
    /// What a reader is served of an entry, by the mark as it is.
    fn is_valid(&self, redis: &Redis, entry: Entry) -> bool {
        let hard = redis.mark.or((!self.with.missing_is_invalid).then_some(0));
        entry.epoch == redis.epoch && hard.is_some_and(|hard| hard <= entry.born)
    }

    /// When a tag without a mark was struck, as `marks.lua` says.
    fn struck(&self, redis: &Redis) -> u8 {
        match redis.recent {
            Some(at) if self.with.recent_remembered => at,
            _ if self.with.forgotten_counts => redis.floor.unwrap_or(redis.sequence),
            _ => 0,
        }
    }

    /// `with_marks`, by a load.
    fn see_to_mark(&self, state: &mut State, at: usize, entry: Entry) {
        let redis = &mut state.redis;
        if redis.epoch != entry.epoch {
            state.loads[at] = Load::Idle;
            state.fenced = true;
            return;
        }
        let hard = redis.mark.unwrap_or_else(|| self.struck(redis));
        if hard > entry.born {
            state.fenced = true;
            state.loads[at] = Load::Idle;
        } else if redis.mark.is_none() && !self.with.made_in_one {
            state.loads[at] = Load::Looked { entry, hard };
        } else {
            redis.mark = Some(hard);
            state.loads[at] = Load::Marked { entry };
        }
    }

    fn store(&self, state: &mut State, at: usize, entry: Entry) {
        let Some(place) = state.leases.iter().position(|lease| *lease == at) else {
            state.fenced = true;
            return;
        };
        state.leases.drain(..=place);
        let was_valid = state.redis.entry.is_some_and(|there| self.is_valid(&state.redis, there));
        // Under a name of an epoch that is over, nobody looks.
        if entry.epoch == state.redis.epoch {
            state.redis.entry = Some(entry);
            // That of a strike after the mark was seen to is no harm: the one that was there is struck by it too.
            state.displaced |= was_valid && !self.is_valid(&state.redis, entry);
        }
    }

    fn fail_over(&self, state: &mut State) -> Option<()> {
        state.redis = *state.snapshot.take()?;
        state.failed_over = true;
        if self.with.new_epoch {
            // `renew`: nothing of what there was has that name.
            let epoch = state.redis.epoch + 1;
            state.redis = Redis { epoch, sequence: 0, mark: None, recent: None, floor: None, entry: None };
        }
        Some(())
    }

    fn strike(&self, redis: &mut Redis) {
        redis.floor.get_or_insert(redis.sequence);
        if self.with.order_raised {
            redis.sequence += 1;
        }
        redis.recent = Some(redis.sequence);
        redis.mark = redis.mark.map(|_| redis.sequence);
    }

    fn strike_another(&self, redis: &mut Redis) {
        redis.floor.get_or_insert(redis.sequence);
        redis.sequence += 1;
        if let Some(forgotten) = redis.recent.take() {
            redis.floor = Some(forgotten);
        }
    }
}

impl Model for Tag {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        let redis = Redis { epoch: 0, sequence: 0, mark: None, recent: None, floor: None, entry: None };
        State {
            source: 0,
            redis,
            snapshot: None,
            failed_over: false,
            loads: [Load::Idle; 2],
            leases: Vec::new(),
            reader: None,
            pending: None,
            floor: 0,
            others: 0,
            misled: false,
            displaced: false,
            fenced: false,
        }
    }

    fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        for (at, load) in state.loads.iter().enumerate() {
            steps.push(match load {
                Load::Idle if self.with.born_before => Step::Fence(at),
                Load::Idle | Load::Fenced { .. } => Step::Read(at),
                Load::Brought { fence: None, .. } => Step::Fence(at),
                Load::Brought { .. } => Step::Mark(at),
                Load::Looked { .. } => Step::MakeMark(at),
                Load::Marked { .. } => Step::Store(at),
            });
        }
        match state.pending {
            None if state.source < self.versions => steps.push(Step::Write),
            None => {}
            Some(_) => steps.push(Step::Strike),
        }
        if state.others < self.others {
            steps.push(Step::StrikeAnother);
        }
        if state.redis.mark.is_some() {
            steps.push(Step::Evict);
        }
        match (state.reader, state.redis.entry) {
            (Some(_), _) => steps.push(Step::Judge),
            (None, Some(_)) => steps.push(Step::Look),
            (None, None) => {}
        }
        if self.fails_over && !state.failed_over {
            steps.push(if state.snapshot.is_none() { Step::Snapshot } else { Step::FailOver });
        }
    }

    fn take(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Fence(at) => {
                let (epoch, born) = (state.redis.epoch, state.redis.sequence);
                state.leases.retain(|lease| *lease != at);
                state.leases.push(at);
                state.loads[at] = match state.loads[at] {
                    Load::Brought { version, .. } => Load::Brought { version, fence: Some((epoch, born)) },
                    _ => Load::Fenced { epoch, born },
                };
            }
            Step::Read(at) => {
                let fence = match state.loads[at] {
                    Load::Fenced { epoch, born } => Some((epoch, born)),
                    _ => None,
                };
                state.loads[at] = Load::Brought { version: state.source, fence };
            }
            Step::Mark(at) => {
                let Load::Brought { version, fence: Some((epoch, born)) } = state.loads[at] else {
                    return None;
                };
                self.see_to_mark(state, at, Entry { version, epoch, born });
            }
            Step::MakeMark(at) => {
                let Load::Looked { entry, hard } = state.loads[at] else { return None };
                state.redis.mark = Some(hard);
                state.loads[at] = Load::Marked { entry };
            }
            Step::Store(at) => {
                let Load::Marked { entry } = state.loads[at] else { return None };
                self.store(state, at, entry);
                state.loads[at] = Load::Idle;
            }
            Step::Write => {
                state.source += 1;
                state.pending = Some(state.source);
            }
            Step::Strike => {
                state.floor = state.pending.take()?;
                self.strike(&mut state.redis);
            }
            Step::StrikeAnother => {
                state.others += 1;
                self.strike_another(&mut state.redis);
            }
            Step::Evict => state.redis.mark = None,
            Step::Look => state.reader = Some((state.redis.entry?, state.floor)),
            Step::Judge => {
                let (entry, floor) = state.reader.take()?;
                state.misled |= self.is_valid(&state.redis, entry) && entry.version < floor;
            }
            Step::Snapshot => state.snapshot = Some(Box::new(state.redis.clone())),
            Step::FailOver => self.fail_over(state)?,
        }
        Some(())
    }

    fn always(&self) -> Vec<Claim<Self>> {
        vec![
            (STRUCK, |model: &Self, state: &State| {
                let served = state.redis.entry.filter(|entry| model.is_valid(&state.redis, *entry));
                served.is_none_or(|entry| entry.version >= state.floor)
            }),
            (READ, |_, state: &State| !state.misled),
            (DISPLACED, |_, state: &State| !state.displaced),
        ]
    }

    fn sometimes(&self) -> Vec<Claim<Self>> {
        vec![
            ("the newest is served", |model: &Self, state: &State| {
                let served = state.redis.entry.filter(|entry| model.is_valid(&state.redis, *entry));
                served.is_some_and(|entry| entry.version == model.versions)
            }),
            ("an entry is struck", |model: &Self, state: &State| {
                let redis = &state.redis;
                redis.mark.is_some() && redis.entry.is_some_and(|entry| !model.is_valid(redis, entry))
            }),
            ("a load is fenced", |_, state: &State| state.fenced),
            ("a mark is evicted and made again", |model: &Self, state: &State| {
                model.others == 0 || state.redis.recent.is_none() && state.redis.mark > Some(0)
            }),
        ]
    }
}

/// G2, for tags.
pub const STRUCK: &str = "nothing that is served is older than what was struck";
/// The same for a read of two round trips.
pub const READ: &str =
    "who reads entry and mark one after the other is given nothing that was struck before he began";
/// "What is known to be struck is not stored, so that it takes the place of nothing." Leases alone see to that, too.
pub const DISPLACED: &str = "what is valid does not make way for what is not";
