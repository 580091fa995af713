//! The checker: every state that can be reached, nearest first.
//!
//! Stateright would be the tool, and was tried (0.31). It keeps the last counterexample that it meets and not the first, so
//! traces are not the shortest; it knows states by 64 bits of hash alone; and it cannot be had without its web server, nor
//! that without eleven crates. What is needed of it is this file.

use std::fmt::Debug;
use std::hash::{BuildHasher, Hash};
use std::time::Instant;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rapidhash::fast::RandomState;

/// What is said of states, in words, and whether it is so.
pub type Claim<M> = (&'static str, fn(&M, &<M as Model>::State) -> bool);

/// States, and what leads from one to the next.
pub trait Model: Sized {
    /// All there is at a moment.
    type State: Clone + Debug + Eq + Hash;
    /// What happens.
    type Step: Copy + Debug;

    /// How it begins.
    fn start(&self) -> Self::State;
    /// Adds what can happen in `state`.
    fn steps(&self, state: &Self::State, steps: &mut Vec<Self::Step>);
    /// What `state` becomes by `step`; `None`: nothing, for it cannot happen.
    fn take(&self, state: &mut Self::State, step: Self::Step) -> Option<()>;
    /// What is so in every state.
    fn always(&self) -> Vec<Claim<Self>>;
    /// What is so in some: or the model shows nothing.
    fn sometimes(&self) -> Vec<Claim<Self>>;
}

/// From which state, by its place, and by which step it was reached.
type By<M> = Option<(usize, <M as Model>::Step)>;

/// States as they were found, and how.
struct Seen<M: Model> {
    /// By their hashes; two that are alike in that alone are told apart.
    places: HashTable<usize>,
    hasher: RandomState,
    states: Vec<(M::State, By<M>)>,
}

impl<M: Model> Seen<M> {
    fn add(&mut self, state: M::State, by: By<M>) {
        let (states, hasher) = (&self.states, &self.hasher);
        let hash = |place: &usize| hasher.hash_one(&states[*place].0);
        let place = self.places.entry(hasher.hash_one(&state), |place| states[*place].0 == state, hash);
        if let Entry::Vacant(vacant) = place {
            vacant.insert(self.states.len());
            self.states.push((state, by));
        }
    }

    /// The shortest way there.
    fn way_to(&self, mut place: usize) -> Vec<M::Step> {
        let mut way = Vec::new();
        while let Some((before, step)) = self.states[place].1 {
            way.push(step);
            place = before;
        }
        way.reverse();
        way
    }
}

/// Looks at all states, in the order of how far they are, until `stop` says so of one: its index. And how deep they lie.
fn explore<M: Model>(model: &M, mut stop: impl FnMut(&M::State) -> bool) -> (Seen<M>, Option<usize>) {
    let mut seen: Seen<M> =
        Seen { places: HashTable::new(), hasher: RandomState::default(), states: Vec::new() };
    seen.add(model.start(), None);
    let (mut at, mut steps) = (0, Vec::new());
    while at < seen.states.len() {
        let state = seen.states[at].0.clone();
        if stop(&state) {
            return (seen, Some(at));
        }
        model.steps(&state, &mut steps);
        for step in steps.drain(..) {
            let mut next = state.clone();
            if model.take(&mut next, step).is_some() {
                seen.add(next, Some((at, step)));
            }
        }
        at += 1;
    }
    (seen, None)
}

/// Sees every state of `model`: what is always to be so is, and what is to be so sometimes is sometimes.
///
/// # Panics
/// If not. The message has the shortest way there.
pub fn holds<M: Model>(what: &str, model: &M) {
    let (began, always, mut sometimes) = (Instant::now(), model.always(), model.sometimes());
    let mut broken = "";
    let (seen, found) = explore(model, |state| {
        sometimes.retain(|(_, is_so)| !is_so(model, state));
        let wrong = always.iter().find(|(_, is_so)| !is_so(model, state));
        broken = wrong.map_or("", |(claim, _)| claim);
        wrong.is_some()
    });
    if let Some(at) = found {
        panic!("{what}: not so: {broken:?}. {:#?}\n{:#?}", seen.way_to(at), seen.states[at].0);
    }
    let never: Vec<_> = sometimes.iter().map(|(claim, _)| claim).collect();
    assert!(never.is_empty(), "{what}: never so: {never:?}");
    let (states, depth) = (seen.states.len(), seen.way_to(seen.states.len() - 1).len());
    println!("{what}: {states} states, {depth} steps deep, {:.1?}", began.elapsed());
}

/// The shortest way in which `model`, which lacks a mechanism, breaks `claim`.
///
/// # Panics
/// If there is none: then nothing shows what the mechanism is for.
pub fn breaks<M: Model>(what: &str, claim: &str, model: &M) -> Vec<M::Step> {
    let always = model.always();
    let (_, is_so) = *always.iter().find(|(it, _)| *it == claim).expect("one of its claims");
    let (seen, found) = explore(model, |state| !is_so(model, state));
    let Some(at) = found else {
        panic!("{what}: {claim:?} holds all the same, in {} states", seen.states.len())
    };
    let way = seen.way_to(at);
    println!("{what}: broken in {} steps, {} states seen: {claim:?}", way.len(), seen.states.len());
    way.iter().for_each(|step| println!("  {step:?}"));
    way
}
