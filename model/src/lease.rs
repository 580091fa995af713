//! One load for the fleet: G5, "one publication per key and round always; one load while its holder lives; free within 3 s of
//! its holder's death".
//!
//! The scripts `lease`, `extend`, `release` and `store`, and the way of a load through `cache-core/src/engine/load/turn.rs`:
//! look; ask for the lease; load, or look again, or wait. A claim is in force while its lease is good in what stands under
//! the key. It ends by itself when its holder is dead: who lives extends it in time.

use crate::check::{Claim, Model};

/// What makes one load of many; each can be taken away.
#[derive(Clone, Copy, Debug)]
pub struct Mechanisms {
    /// Who asks looks at the claim.
    pub claimed: bool,
    /// A claim is in force only with its lease.
    pub with_its_lease: bool,
    /// A claim ends if its holder does not extend it.
    pub ends: bool,
    /// Who gives a lease back, or publishes, takes away the claim of that lease or of an earlier one, and no other.
    pub own_claim_only: bool,
    /// Who gets the lease though something fresh is there looks again.
    pub looks_again: bool,
}

impl Mechanisms {
    /// As it is built.
    pub const ALL: Self =
        Self { claimed: true, with_its_lease: true, ends: true, own_claim_only: true, looks_again: true };
}

/// The model, and its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// Processes that want the key.
    pub processes: usize,
    /// How often it is invalidated.
    pub rounds: u8,
    /// How many processes may die.
    pub deaths: u8,
    /// What is in force.
    pub with: Mechanisms,
}

/// Where a process is with its load.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
enum At {
    #[default]
    Idle,
    /// Found nothing.
    Looked,
    Waits,
    Loads,
    Dead,
}

/// What stands under the key.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
struct Slot {
    is_fresh: bool,
    /// Whose leases are good, the oldest first.
    leases: Vec<usize>,
}

/// All there is.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct State {
    slot: Option<Slot>,
    /// Whose claim there is, and whether it is by the lease that this process has now.
    claim: Option<(usize, bool)>,
    processes: Vec<At>,
    rounds: u8,
    deaths: u8,
    /// Publications since the key was last invalidated.
    published: u8,
    /// Somebody was sent away though nobody loads what will be stored.
    in_vain: bool,
    waited: bool,
    fenced: bool,
    inherited: bool,
}

/// What can happen next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// A process looks, and finds nothing.
    Look(usize),
    /// It asks for the lease.
    Ask(usize),
    /// It has waited, and looks again.
    WaitIsOver(usize),
    /// Its load publishes.
    Publish(usize),
    /// Its load fails, and its lease is given back.
    GiveUp(usize),
    /// It dies.
    Die(usize),
    /// A claim that nobody extends ends.
    ClaimEnds,
    /// The key is invalidated.
    Invalidate,
}

impl State {
    fn holds(&self, process: usize) -> bool {
        self.slot.as_ref().is_some_and(|slot| slot.leases.contains(&process))
    }

    /// Its claim is that of a lease which is no more.
    fn outdate(&mut self, process: usize) {
        if let Some((holder, is_current)) = &mut self.claim
            && *holder == process
        {
            *is_current = false;
        }
    }

    /// Takes a claim away: that of the lease of `process`.
    fn unclaim(&mut self, process: usize, own_only: bool) {
        if !own_only || self.claim == Some((process, true)) {
            self.claim = None;
        }
    }

    fn loaders(&self) -> usize {
        let loads = |at: &usize| self.processes[*at] == At::Loads && self.holds(*at);
        (0..self.processes.len()).filter(loads).count()
    }
}

impl Lease {
    /// The script `lease`.
    fn ask(&self, state: &mut State, process: usize) {
        let is_in_force = |(holder, is_current): (usize, bool)| {
            !self.with.with_its_lease || is_current && state.holds(holder)
        };
        let theirs = state.claim.filter(|claim| claim.0 != process && is_in_force(*claim));
        if let Some((holder, is_current)) = theirs.filter(|_| self.with.claimed) {
            state.processes[process] = At::Waits;
            state.waited = true;
            state.in_vain |= !(is_current && state.holds(holder));
            return;
        }
        state.inherited |= state.processes.contains(&At::Dead);
        let slot = state.slot.get_or_insert_default();
        let is_fresh = slot.is_fresh;
        if is_fresh && self.with.looks_again {
            // It finds what is there, and gives the lease back: as if it had not asked.
            state.processes[process] = At::Idle;
            return;
        }
        slot.leases.retain(|lease| *lease != process);
        slot.leases.push(process);
        state.claim = Some((process, true));
        state.processes[process] = At::Loads;
    }

    /// The script `store`, and `release` where it refuses.
    fn publish(&self, state: &mut State, process: usize) {
        state.processes[process] = At::Idle;
        let place = |slot: &Slot| slot.leases.iter().position(|lease| *lease == process);
        let Some(place) = state.slot.as_ref().and_then(place) else {
            state.fenced = true;
            state.unclaim(process, self.with.own_claim_only);
            return;
        };
        let Some(slot) = &mut state.slot else { return };
        let void: Vec<usize> = slot.leases.drain(..=place).collect();
        slot.is_fresh = true;
        state.published += 1;
        for lease in void {
            state.unclaim(lease, self.with.own_claim_only);
        }
    }

    fn give_up(&self, state: &mut State, process: usize) {
        state.processes[process] = At::Idle;
        if let Some(slot) = &mut state.slot {
            slot.leases.retain(|lease| *lease != process);
            if slot.leases.is_empty() && !slot.is_fresh {
                state.slot = None;
            }
        }
        state.unclaim(process, self.with.own_claim_only);
    }
}

impl Model for Lease {
    type State = State;
    type Step = Step;

    fn start(&self) -> State {
        let processes = vec![At::Idle; self.processes];
        let (rounds, deaths, published) = (0, 0, 0);
        let (in_vain, waited, fenced, inherited) = (false, false, false, false);
        let (slot, claim) = (None, None);
        State { slot, claim, processes, rounds, deaths, published, in_vain, waited, fenced, inherited }
    }

    fn steps(&self, state: &State, steps: &mut Vec<Step>) {
        let is_fresh = state.slot.as_ref().is_some_and(|slot| slot.is_fresh);
        for (at, process) in state.processes.iter().enumerate() {
            match process {
                At::Idle if !is_fresh => steps.push(Step::Look(at)),
                At::Looked => steps.push(Step::Ask(at)),
                At::Waits => steps.push(Step::WaitIsOver(at)),
                At::Loads => steps.extend([Step::Publish(at), Step::GiveUp(at)]),
                At::Idle | At::Dead => {}
            }
            if *process != At::Dead && state.deaths < self.deaths {
                steps.push(Step::Die(at));
            }
        }
        let nobodys = |(holder, is_current): (usize, bool)| {
            !is_current || state.processes[holder] != At::Loads || !state.holds(holder)
        };
        if self.with.ends && state.claim.is_some_and(nobodys) {
            steps.push(Step::ClaimEnds);
        }
        if state.rounds < self.rounds {
            steps.push(Step::Invalidate);
        }
    }

    fn take(&self, state: &mut State, step: Step) -> Option<()> {
        match step {
            Step::Look(at) => state.processes[at] = At::Looked,
            Step::Ask(at) => self.ask(state, at),
            Step::WaitIsOver(at) => state.processes[at] = At::Idle,
            Step::Publish(at) => self.publish(state, at),
            Step::GiveUp(at) => self.give_up(state, at),
            Step::Die(at) => {
                state.processes[at] = At::Dead;
                state.deaths += 1;
            }
            Step::ClaimEnds => state.claim = None,
            Step::Invalidate => {
                state.slot = None;
                state.rounds += 1;
                state.published = 0;
                (0..self.processes).for_each(|at| state.outdate(at));
            }
        }
        Some(())
    }

    fn always(&self) -> Vec<Claim<Self>> {
        vec![
            (ONE_LOAD, |_, state| state.loaders() <= 1),
            (ONE_PUBLICATION, |_, state| state.published <= 1),
            (IN_VAIN, |_, state| !state.in_vain),
            (FREED, |model, state| {
                let dead = |(holder, _): (usize, bool)| state.processes[holder] == At::Dead;
                !state.claim.is_some_and(dead) || {
                    let mut steps = Vec::new();
                    model.steps(state, &mut steps);
                    steps.contains(&Step::ClaimEnds)
                }
            }),
        ]
    }

    fn sometimes(&self) -> Vec<Claim<Self>> {
        vec![
            ("one waits for another", |_, state| state.waited),
            ("a load is fenced", |_, state| state.fenced),
            ("one loads in the place of a dead one", |_, state| {
                state.inherited && state.published == 1 && state.rounds == 0
            }),
            ("all but a dead one are done", |_, state| {
                state.published == 1 && state.processes.iter().all(|at| matches!(at, At::Idle | At::Dead))
            }),
        ]
    }
}

/// G5.
pub const ONE_LOAD: &str = "of those who live, one at most runs a load that may be stored";
/// G5.
pub const ONE_PUBLICATION: &str = "a key is published once between two invalidations";
/// No claim outlives what it is for.
pub const IN_VAIN: &str = "who is sent to wait, waits for a load that may be stored";
/// "Is free within 3 s of its holder's death."
pub const FREED: &str = "the claim of a dead one ends";
