//! The connection lost and made anew: sentences 8 to 10 of `docs/coherence.md`; G3 and G4, and G1 across a reconnect.
//!
//! One node and its connection; what others do is one step at Redis each. When the connection breaks, what was on its way to
//! us is lost, and of what we sent nobody knows: it was done, or it stands in the old connection's buffers, to be done later
//! or never. The steps of `connect/keeper.rs`: greet (which settles the past), begin tracking, deliver the queue, `restored`.
//! Times are events: the trust in what was copied before is over, and that in a single copy.

mod state;

use crate::check::{Claim, Model};

use state::{Change, Line, Reader, Told};
pub use state::{Command, State};

/// What makes a break harmless; each can be taken away.
#[derive(Clone, Copy, Debug)]
pub struct Mechanisms {
    /// An invalidation that was not answered is queued.
    pub queued: bool,
    /// The queue is delivered before the connection is used.
    pub delivered_first: bool,
    /// Tracking begins before memory is flushed.
    pub tracked_first: bool,
    /// Memory is flushed when the channel stands again.
    pub flushed: bool,
    /// And when the trust in it is over.
    pub trust_ends: bool,
    /// What comes into memory while cut off is trusted for a while only.
    pub capped: bool,
    /// Near is struck again when an invalidation has failed.
    pub struck_after: bool,
    /// The old connection is closed by its number, if something of it may still be done.
    pub old_one_closed: bool,
    /// Who finds another server than before begins a new epoch.
    pub new_epoch: bool,
}

impl Mechanisms {
    /// As it is built.
    pub const ALL: Self = Self {
        queued: true,
        delivered_first: true,
        tracked_first: true,
        flushed: true,
        trust_ends: true,
        capped: true,
        struck_after: true,
        old_one_closed: true,
        new_epoch: true,
    };
}

/// The model, and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Reconnect {
    /// How often the source is changed.
    pub versions: u8,
    /// How often the connection breaks.
    pub breaks: u8,
    /// Whether Redis may go back to what it was, once.
    pub fails_over: bool,
    /// What is in force.
    pub with: Mechanisms,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// A reader asks far.
    Ask,
    /// He learns for how long his copy will be trusted.
    AskCap,
    /// He puts it into near.
    Keep,
    /// The program changes the source.
    Write,
    /// And invalidates.
    Invalidate,
    /// Or sets the new value.
    Set,
    /// Redis does this.
    Serve(Command),
    /// We hear what was told first.
    Hear,
    /// Somebody else changes the source and invalidates.
    TheyChange,
    /// Somebody else loads.
    TheyPublish,
    /// The connection breaks.
    Break,
    /// We notice.
    Notice,
    /// `cut_off_ttl` is over for what was copied before.
    TrustEnds,
    /// And for a copy that came later.
    CapEnds,
    /// A load while far is away: what it brings is kept in near alone.
    LoadAlone,
    /// What stood in an old connection's buffers is done.
    Late(Command),
    /// We connect, and greet.
    Greet,
    /// Tracking begins.
    Track,
    /// The first in the queue is delivered.
    Deliver,
    /// The connection is in use, and the channel stands again.
    Restored,
    /// What Redis will go back to is as it is now.
    Snapshot,
    /// It does.
    FailOver,
}

impl Reconnect {
    fn call(&self, state: &mut State, command: fn(u8) -> Command) -> Option<()> {
        let Some(Change::Written(version)) = state.change else { return None };
        state.flush();
        if matches!(state.line, Line::Up | Line::Broken) {
            state.change = Some(Change::Called(command(version), version));
            state.sent.push(command(version));
            state.sent.sort_unstable();
        } else {
            self.fail(state, version);
        }
        Some(())
    }

    /// `Err(Queued)`.
    fn fail(&self, state: &mut State, version: u8) {
        if self.with.struck_after {
            state.flush();
        }
        if self.with.queued {
            state.queue.push_back(version);
        }
        state.floor = state.floor.max(version);
        state.change = None;
    }

    fn hear(&self, state: &mut State) -> Option<()> {
        match state.stream.pop_front()? {
            Told::Found(found) => {
                let Some(Reader::Asked(fence, floor)) = state.reader.take() else { return Some(()) };
                state.misled |= found.is_some_and(|version| version < floor);
                state.reader = found.map(|version| Reader::Answered(fence, version));
            }
            Told::Done => {
                let Some(Change::Called(_, version)) = state.change.take() else { return Some(()) };
                state.flush();
                state.floor = state.floor.max(version);
            }
            Told::Notice => state.flush(),
        }
        Some(())
    }

    fn notice(&self, state: &mut State) {
        state.line = Line::Down;
        state.cut_off = true;
        state.leave();
        if let Some(Reader::Asked(..)) = state.reader {
            state.reader = None;
        }
        if let Some(Change::Called(_, version)) = state.change {
            self.fail(state, version);
        }
    }

    fn greet(&self, state: &mut State) {
        state.line = Line::Greeted;
        if std::mem::take(&mut state.another) && self.with.new_epoch {
            state.far = None;
        }
        if self.with.old_one_closed {
            state.late.clear();
        }
    }

    fn restored(&self, state: &mut State) {
        state.line = Line::Up;
        if self.with.flushed {
            state.flush();
        }
        (state.cut_off, state.over) = (false, false);
    }

    /// What readers, loads and changes of ours do.
    fn take_ours(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Ask => {
                let fence = state.near.fence();
                state.reader = Some(Reader::Asked(fence, state.floor));
                state.sent.push(Command::Get);
                state.sent.sort_unstable();
            }
            Step::AskCap => {
                let Some(Reader::Answered(fence, version)) = state.reader else { return None };
                state.reader = Some(Reader::Knows(fence, version, state.cut_off && self.with.capped));
            }
            Step::Keep => {
                let Some(Reader::Knows(fence, version, capped)) = state.reader.take() else { return None };
                state.put(fence, version, capped);
            }
            Step::LoadAlone => {
                let fence = state.near.fence();
                state.put(fence, state.source, self.with.capped);
            }
            Step::TrustEnds => {
                state.over = true;
                if self.with.trust_ends {
                    state.flush();
                }
            }
            Step::CapEnds => {
                state.near.forget();
                state.is_capped = false;
            }
            Step::Write => {
                state.source += 1;
                state.change = Some(Change::Written(state.source));
            }
            Step::Invalidate => self.call(state, Command::Remove)?,
            _ => self.call(state, Command::Set)?,
        }
        Some(())
    }

    /// What happens at Redis.
    fn take_theirs(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Serve(command) => {
                state.sent.retain(|sent| *sent != command);
                let told = if command == Command::Get { Told::Found(state.far) } else { Told::Done };
                state.execute(command);
                state.stream.push_back(told);
            }
            Step::Late(command) => {
                state.late.retain(|late| *late != command);
                state.was_late = true;
                state.far = match command {
                    Command::Set(version) => Some(version),
                    _ => None,
                };
                state.tell();
            }
            Step::TheyChange => {
                state.source += 1;
                (state.far, state.removed) = (None, state.source);
                state.tell();
            }
            Step::TheyPublish => {
                state.far = Some(state.source);
                state.tell();
            }
            Step::Snapshot => state.snapshot = Some(state.far),
            _ => {
                state.far = state.snapshot.take()?;
                (state.failed_over, state.another) = (true, true);
                state.lose();
                state.late.clear();
            }
        }
        Some(())
    }

    /// What becomes of the connection.
    fn take_lines(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Break => {
                state.breaks += 1;
                let was_up = state.line == Line::Up;
                state.lose();
                if !was_up {
                    state.line = Line::Down;
                }
            }
            Step::Notice => self.notice(state),
            Step::Greet => self.greet(state),
            Step::Track => {
                state.tracked = true;
                if state.line == Line::Greeted {
                    state.line = Line::Told;
                }
            }
            Step::Deliver => {
                let version = state.queue.pop_front()?;
                state.execute(Command::Remove(version));
            }
            _ => self.restored(state),
        }
        Some(())
    }

    fn steps_of_ours(&self, state: &State, steps: &mut Vec<Step>) {
        let is_up = state.line == Line::Up;
        let is_missing = state.near.copy().is_none();
        match state.reader {
            None if is_up && is_missing => steps.push(Step::Ask),
            Some(Reader::Answered(..)) => steps.push(Step::AskCap),
            Some(Reader::Knows(..)) => steps.push(Step::Keep),
            _ => {}
        }
        match state.change {
            None if state.source < self.versions => steps.push(Step::Write),
            Some(Change::Written(version)) => {
                steps.push(Step::Invalidate);
                if version == state.source {
                    steps.push(Step::Set);
                }
            }
            _ => {}
        }
        if state.cut_off && is_missing {
            steps.push(Step::LoadAlone);
        }
        if state.cut_off && !state.over {
            steps.push(Step::TrustEnds);
        }
        if state.is_capped && !is_missing {
            steps.push(Step::CapEnds);
        }
    }

    fn steps_of_lines(&self, state: &State, steps: &mut Vec<Step>) {
        let is_delivered = state.queue.is_empty() || !self.with.delivered_first;
        match state.line {
            Line::Broken => steps.push(Step::Notice),
            Line::Down => steps.push(Step::Greet),
            Line::Greeted if self.with.tracked_first => steps.push(Step::Track),
            Line::Greeted | Line::Told if is_delivered => steps.push(Step::Restored),
            _ => {}
        }
        if state.line == Line::Up && !state.tracked {
            steps.push(Step::Track);
        }
        if !state.queue.is_empty() && matches!(state.line, Line::Told | Line::Greeted | Line::Up) {
            steps.push(Step::Deliver);
        }
        if state.breaks < self.breaks && matches!(state.line, Line::Up | Line::Told) {
            steps.push(Step::Break);
        }
    }
}

impl Model for Reconnect {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        State { tracked: true, ..State::default() }
    }

    fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        self.steps_of_ours(state, steps);
        self.steps_of_lines(state, steps);
        if state.line == Line::Up {
            steps.extend(state.sent.iter().copied().map(Step::Serve));
        }
        steps.extend(state.late.iter().copied().map(Step::Late));
        if !state.stream.is_empty() {
            steps.push(Step::Hear);
        }
        // Which of a `set` and of another change at the same time is the later one, the cache cannot know.
        if state.source < self.versions && !state.is_setting() {
            steps.push(Step::TheyChange);
        }
        if state.far.is_none() {
            steps.push(Step::TheyPublish);
        }
        if self.fails_over && !state.failed_over {
            match state.snapshot {
                None => steps.push(Step::Snapshot),
                Some(_) if state.line == Line::Up => steps.push(Step::FailOver),
                Some(_) => {}
            }
        }
    }

    fn take(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Hear => self.hear(state)?,
            Step::Serve(_)
            | Step::Late(_)
            | Step::TheyChange
            | Step::TheyPublish
            | Step::Snapshot
            | Step::FailOver => self.take_theirs(state, step)?,
            Step::Break | Step::Notice | Step::Greet | Step::Track | Step::Deliver | Step::Restored => {
                self.take_lines(state, step)?;
            }
            _ => self.take_ours(state, step)?,
        }
        let reader = state.reader.iter_mut().map(|reader| match reader {
            Reader::Asked(fence, _) | Reader::Answered(fence, _) | Reader::Knows(fence, ..) => fence,
        });
        state.near.tidy(reader);
        Some(())
    }

    fn always(&self) -> Vec<Claim<Self>> {
        vec![
            (OWN, |_, state| !state.misled && state.near.copy().is_none_or(|copy| copy >= state.floor)),
            (WHOLE, |_, state| {
                let is_told = state.line == Line::Up && !state.stream.contains(&Told::Notice);
                !is_told || state.near.copy().is_none_or(|copy| copy >= state.removed) || state.is_waiting()
            }),
            (OVER, |_, state| !state.over || state.near.copy().is_none() || state.is_capped),
            (FAR, |_, state| state.line != Line::Up || state.far.is_none_or(|far| far >= state.removed)),
        ]
    }

    fn sometimes(&self) -> Vec<Claim<Self>> {
        vec![
            ("a copy is believed while cut off", |_, state| {
                state.cut_off && !state.over && state.near.copy().is_some_and(|copy| copy < state.removed)
            }),
            ("a copy is kept while far is away", |_, state| state.over && state.near.copy().is_some()),
            ("something is done late", |_, state| state.was_late),
            ("a queue is delivered, and the connection is in use again", |_, state| {
                state.line == Line::Up && state.breaks > 0 && state.floor > 0 && state.removed >= state.floor
            }),
            ("a hit after a reconnect", |_, state| {
                state.line == Line::Up && state.breaks > 0 && state.near.copy().is_some()
            }),
        ]
    }
}

/// G1, and G4: also when the connection is lost in between.
pub const OWN: &str = "nothing is read here that is older than what was invalidated here";
/// G3: what was missed is made good.
pub const WHOLE: &str = "when the channel stands and all is told, memory has nothing that was invalidated";
/// G3: after `cut_off_ttl`.
pub const OVER: &str = "when the trust is over, memory has nothing of before";
/// G2: neither a replay, nor what was late, nor what Redis had forgotten.
pub const FAR: &str = "when the connection is in use, far has nothing that was invalidated before";
