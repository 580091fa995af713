//! A copy on its way into memory, and changes that it meets: sentences 1, 2, 3 and 5 of `docs/coherence.md`; G1, and G2 for
//! memory.
//!
//! Each node has its memory, one reader, one load (or refresh) and one change of its own under way, and one connection. What
//! it asks for may be done in any order, as each call is sent when its turn comes; what it is told comes in order, answers
//! and notices in one stream. An answer is handed to whoever waits for it, on another thread, and a notice may be handled
//! before that one goes on: so answers are followed by a step of their own. Anybody else changes things too.
//!
//! How Redis itself refuses late loads is in [`crate::invalidate`]; here its leases are a list, the oldest first.

mod state;

use crate::check::{Claim, Model};

pub use state::{Change, Command, Load, Node, Reader, State, Told};

/// What keeps old copies out; each can be taken away.
#[derive(Clone, Copy, Debug)]
pub struct Mechanisms {
    /// A reader takes its fence before it asks far, not when the answer comes.
    pub fence_before_asking: bool,
    /// An own change strikes near before it is sent.
    pub struck_before: bool,
    /// And again when it is answered.
    pub struck_after: bool,
    /// A notice voids fences, also where there is no copy.
    pub notice_voids_fences: bool,
    /// A published load is put into near under a second, younger fence too.
    pub published_twice: bool,
    /// Where a load is not kept in near, what near has is older, and goes.
    pub refused_is_struck: bool,
}

impl Mechanisms {
    /// As it is built.
    pub const ALL: Self = Self {
        fence_before_asking: true,
        struck_before: true,
        struck_after: true,
        notice_voids_fences: true,
        published_twice: true,
        refused_is_struck: true,
    };
}

/// The model, and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Fill {
    /// How many nodes there are.
    pub nodes: usize,
    /// How often the source is changed.
    pub versions: u8,
    /// Whether anybody else is there. Then the one node there is also makes changes; else the last node does, and the first
    /// one has a reader.
    pub anybody: bool,
    /// What is in force.
    pub with: Mechanisms,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// A reader finds nothing in near, and asks far.
    Ask(usize),
    /// A load begins.
    Begin(usize),
    /// It reads the source.
    Read(usize),
    /// It goes to far.
    Publish(usize),
    /// The program changes the source.
    Write(usize),
    /// And invalidates.
    Call(usize),
    /// The reader puts its copy into near.
    Keep(usize),
    /// The load puts what it brought into near.
    Finish(usize),
    /// The invalidation returns.
    Return(usize),
    /// Redis does this of what a node has sent.
    Serve(usize, Command),
    /// This node hears what it was told first.
    Hear(usize),
    /// Somebody else changes the source.
    AnybodyWrites,
    /// And invalidates it.
    AnybodyInvalidates,
    /// Or lets what is cached of it expire.
    AnybodyForgets,
    /// A process that is not modelled loads it.
    AnybodyPublishes,
}

impl Fill {
    /// Redis does a command of node `at`.
    fn serve(state: &mut State, at: usize, command: Command) {
        let told = match command {
            Command::Get => Told::Found(state.far),
            Command::Lease => {
                state.leases.retain(|lease| *lease != at);
                state.leases.push(at);
                Told::Leased
            }
            Command::Store(version) => match state.leases.iter().position(|lease| *lease == at) {
                Some(place) => {
                    // Those that began before it are void.
                    state.leases.drain(..=place);
                    state.change(Some(version), 0, Some(at));
                    Told::Stored(true)
                }
                None => Told::Stored(false),
            },
            Command::Remove(version) => {
                state.leases.clear();
                state.change(None, version, Some(at));
                Told::Removed(version)
            }
        };
        state.nodes[at].stream.push_back(told);
    }

    /// A node handles what it was told.
    fn hear(&self, node: &mut Node, told: Told) {
        match told {
            Told::Found(found) => {
                let Some(Reader::Asked(fence)) = node.reader.take() else { return };
                node.reader = found.map(|version| Reader::Answered(fence, version));
            }
            Told::Leased => {
                let Some(Load::Begun(fence)) = node.load else { return };
                node.load = Some(Load::Leased(fence));
            }
            Told::Stored(stored) => {
                let Some(Load::Published(fence, version)) = node.load else { return };
                node.load = Some(Load::Answered(fence, version, stored));
            }
            Told::Removed(version) => node.change = Some(Change::Answered(version)),
            Told::Notice(version) => {
                if self.with.notice_voids_fences {
                    node.strike();
                } else {
                    node.near.forget();
                }
                node.floor = node.floor.max(version);
            }
        }
    }

    /// What somebody does who is not one of the nodes.
    fn take_anybodys(state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::AnybodyWrites => {
                state.source += 1;
                state.anybody = Some(state.source);
            }
            Step::AnybodyInvalidates => {
                let version = state.anybody.take()?;
                state.leases.clear();
                state.change(None, version, None);
            }
            Step::AnybodyForgets => state.anybody = None,
            _ => state.change(Some(state.source), 0, None),
        }
        Some(())
    }

    /// `Tiered::get`, once far has answered.
    fn keep(node: &mut Node) -> Option<()> {
        let Some(Reader::Answered(fence, version)) = node.reader.take() else { return None };
        let fence = fence.unwrap_or_else(|| node.near.fence());
        if node.near.put(fence, version) {
            node.left = false;
        }
        Some(())
    }

    /// `Tiered::around`, once far has answered.
    fn return_from(&self, node: &mut Node) -> Option<()> {
        let Some(Change::Answered(version)) = node.change.take() else { return None };
        if self.with.struck_after {
            node.strike();
        }
        node.left = false;
        node.floor = node.floor.max(version);
        Some(())
    }

    /// `Tiered::publish`, once far has answered.
    fn finish(&self, node: &mut Node) -> Option<()> {
        let Some(Load::Answered(fence, version, stored)) = node.load.take() else { return None };
        let is_here = stored && {
            // Younger than that of a reader who asked far before this was stored there.
            let later = node.near.fence();
            node.near.put(fence, version) && (!self.with.published_twice || node.near.put(later, version))
        };
        if !is_here && self.with.refused_is_struck {
            node.strike();
        }
        Some(())
    }
}

impl Model for Fill {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        let nodes = vec![Node::default(); self.nodes];
        State { source: 0, far: None, leases: Vec::new(), floor: 0, anybody: None, nodes }
    }

    fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        let can_write = state.source < self.versions;
        for (at, node) in state.nodes.iter().enumerate() {
            let is_missing = node.near.copy().is_none();
            if is_missing && node.reader.is_none() && at == 0 {
                steps.push(Step::Ask(at));
            }
            if let Some(Reader::Answered(..)) = node.reader {
                steps.push(Step::Keep(at));
            }
            match node.load {
                None => steps.push(Step::Begin(at)),
                Some(Load::Leased(_)) => steps.push(Step::Read(at)),
                Some(Load::Brought(..)) => steps.push(Step::Publish(at)),
                Some(Load::Answered(..)) => steps.push(Step::Finish(at)),
                _ => {}
            }
            match node.change {
                None if can_write && at + 1 == self.nodes => steps.push(Step::Write(at)),
                Some(Change::Written(_)) => steps.push(Step::Call(at)),
                Some(Change::Answered(_)) => steps.push(Step::Return(at)),
                _ => {}
            }
            steps.extend(node.sent.iter().map(|command| Step::Serve(at, *command)));
            if !node.stream.is_empty() {
                steps.push(Step::Hear(at));
            }
        }
        match state.anybody {
            None if can_write && self.anybody => steps.push(Step::AnybodyWrites),
            Some(_) => steps.extend([Step::AnybodyInvalidates, Step::AnybodyForgets]),
            None => {}
        }
        if state.far != Some(state.source) && self.anybody {
            steps.push(Step::AnybodyPublishes);
        }
    }

    fn take(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Ask(at) => {
                let node = &mut state.nodes[at];
                node.reader = Some(Reader::Asked(self.with.fence_before_asking.then(|| node.near.fence())));
                node.sent.push(Command::Get);
            }
            Step::Begin(at) => {
                let node = &mut state.nodes[at];
                node.load = Some(Load::Begun(node.near.fence()));
                node.sent.push(Command::Lease);
            }
            Step::Read(at) => {
                let Some(Load::Leased(fence)) = state.nodes[at].load else { return None };
                state.nodes[at].load = Some(Load::Brought(fence, state.source));
            }
            Step::Publish(at) => {
                let node = &mut state.nodes[at];
                let Some(Load::Brought(fence, version)) = node.load else { return None };
                node.load = Some(Load::Published(fence, version));
                node.sent.push(Command::Store(version));
            }
            Step::Write(at) => {
                state.source += 1;
                state.nodes[at].change = Some(Change::Written(state.source));
            }
            Step::Call(at) => {
                let node = &mut state.nodes[at];
                let Some(Change::Written(version)) = node.change else { return None };
                node.change = Some(Change::Called);
                if self.with.struck_before {
                    node.strike();
                }
                node.left = node.near.copy().is_some();
                node.sent.push(Command::Remove(version));
            }
            Step::Keep(at) => Self::keep(&mut state.nodes[at])?,
            Step::Finish(at) => self.finish(&mut state.nodes[at])?,
            Step::Return(at) => self.return_from(&mut state.nodes[at])?,
            Step::Serve(at, command) => {
                state.nodes[at].sent.retain(|sent| *sent != command);
                Self::serve(state, at, command);
            }
            Step::Hear(at) => {
                let node = &mut state.nodes[at];
                let told = node.stream.pop_front()?;
                self.hear(node, told);
            }
            _ => Self::take_anybodys(state, step)?,
        }
        state.nodes.iter_mut().for_each(Node::tidy);
        Some(())
    }

    fn always(&self) -> Vec<Claim<Self>> {
        vec![
            (HEARD, |_, state: &State| {
                state.nodes.iter().all(|node| node.near.copy().is_none_or(|copy| copy >= node.floor))
            }),
            (FAR, |_, state: &State| state.far.is_none_or(|far| far >= state.floor)),
            (CALLED, |_, state: &State| state.nodes.iter().all(|node| !node.left)),
            (AT_REST, |_, state: &State| {
                let is_far = |node: &Node| node.near.copy().is_none_or(|copy| state.far == Some(copy));
                !state.is_at_rest() || state.nodes.iter().all(is_far)
            }),
        ]
    }

    fn sometimes(&self) -> Vec<Claim<Self>> {
        vec![
            ("a hit", |_, state: &State| state.nodes.iter().any(|node| node.near.copy() == Some(1))),
            ("a load is fenced", |_, state: &State| {
                state.nodes.iter().any(|node| node.stream.contains(&Told::Stored(false)))
            }),
            ("a reader brings what is old", |_, state: &State| {
                state.nodes.iter().any(|node| match node.reader {
                    Some(Reader::Answered(_, version)) => version < node.floor,
                    _ => false,
                })
            }),
        ]
    }
}

/// G1, for what this process changes; and G2 for what others do.
pub const HEARD: &str = "memory has nothing older than what was invalidated here, or heard to be";
/// G2.
pub const FAR: &str = "far has nothing older than what was invalidated there";
/// G4: "this node already treats the targets as invalid".
pub const CALLED: &str = "what was in memory when an invalidation was called is not served after it";
/// Sentence 5, and that no change goes unheard.
pub const AT_REST: &str = "when all is told, a copy is what far has";
