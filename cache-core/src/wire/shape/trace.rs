//! Runs a type until all of it was asked for.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::DeserializeOwned;

use super::counts::Counts;
use super::hash::hash;
use super::hazard::Hazards;
use super::node::{Id, Token};
use super::tracer::{Fault, Tracer};

/// What a trace has found out.
#[derive(Clone, Debug)]
pub(in crate::wire) struct Trace {
    /// The hash of what was seen, all of it or not.
    pub(in crate::wire) hash: u64,
    /// Why not all of it was seen.
    pub(in crate::wire) gap: Option<String>,
    /// What the type asks for that only a codec that describes itself can answer.
    pub(in crate::wire) asks: Option<&'static str>,
    pub(in crate::wire) hazards: Hazards,
    /// Of what was seen whole.
    pub(in crate::wire) counts: Counts,
}

/// An enum of so many variants is the largest that is traced.
const MOST_RUNS: usize = 5000;

/// Traces `T` as a codec for people asks it, or as others do.
pub(in crate::wire) fn trace<T: DeserializeOwned>(human: bool) -> Trace {
    let mut tracer = Tracer::new(human);
    let gap = run::<T>(&mut tracer).err();
    let hash = hash(&tracer, gap.is_none());
    let counts = if gap.is_none() { Counts::of(&tracer) } else { Counts::default() };
    Trace { hash, gap, counts, asks: tracer.asks, hazards: Hazards::of(&tracer) }
}

fn run<T: DeserializeOwned>(tracer: &mut Tracer) -> Result<(), String> {
    let mut before = (0, 0);
    for _ in 0..MOST_RUNS {
        tracer.begin();
        let value = catch_unwind(AssertUnwindSafe(|| tracer.visit(0, false, PhantomData::<T>).is_ok()));
        if value.is_err() {
            return Err("its `Deserialize` panics at samples".into());
        }
        if let Some(fault) = tracer.fault.take() {
            mend(tracer, fault)?;
            continue;
        }
        settle(tracer, 0);
        if tracer.nodes[0].done {
            return Ok(());
        }
        let now = (tracer.nodes.len(), tracer.nodes.iter().filter(|node| node.done).count());
        if now == before {
            return Err("a part of it is never asked for".into());
        }
        before = now;
    }
    Err("it takes too many attempts".into())
}

/// Notes below which nodes all was asked for.
fn settle(tracer: &mut Tracer, id: Id) -> bool {
    if tracer.nodes[id].done {
        return true;
    }
    let mut done = match tracer.nodes[id].token {
        Token::Unseen => false,
        // An empty one was visited in short.
        Token::Option | Token::Seq | Token::Map => !tracer.nodes[id].children.is_empty(),
        _ => true,
    };
    for number in 0..tracer.nodes[id].children.len() {
        done &= settle(tracer, tracer.nodes[id].children[number]);
    }
    tracer.nodes[id].done = done;
    done
}

/// Chooses other samples for the next run.
fn mend(tracer: &mut Tracer, fault: Fault) -> Result<(), String> {
    match fault {
        Fault::Stuck(why) => Err(why),
        Fault::NoVariant(id) => {
            let node = &mut tracer.nodes[id];
            (node.token, node.done) = (Token::NoVariant, true);
            Ok(())
        }
        Fault::Leaf(id, why) => {
            let node = &mut tracer.nodes[id];
            node.refused |= 1 << node.sample;
            if choose(tracer, id, 0) {
                Ok(())
            } else {
                Err(format!("a part of it refuses every sample: {why}"))
            }
        }
        Fault::Inside(id, from, why) => {
            let id = if let Token::Same(first) = tracer.nodes[id].token { first } else { id };
            let node = &mut tracer.nodes[id];
            node.attempts += 1;
            let attempt = node.attempts;
            if tracer.human
                && matches!(node.token, Token::Struct(..))
                && node.children.is_empty()
                && node.sample == 0
            {
                // It may be one that takes its fields by name alone.
                node.sample = 1;
                return Ok(());
            }
            let mut leaves = tracer.leaves[from..].to_vec();
            leaves.sort_unstable();
            leaves.dedup();
            if vary(tracer, &leaves, attempt) {
                return Ok(());
            }
            Err(format!("a part of it refuses every sample: {why}"))
        }
    }
}

/// Gives a leaf the sample of this number, or else the next that it has not refused.
fn choose(tracer: &mut Tracer, id: Id, sample: usize) -> bool {
    let node = &mut tracer.nodes[id];
    let Token::Leaf(leaf) = node.token else { return false };
    let count = leaf.count();
    let next = (0..count).map(|step| (sample + step) % count).find(|sample| node.refused & 1 << sample == 0);
    node.sample = next.unwrap_or(node.sample);
    next.is_some()
}

/// Attempt by attempt: all leaves at their second sample, at their third, and so on; then one of them at a time.
fn vary(tracer: &mut Tracer, leaves: &[Id], attempt: usize) -> bool {
    let counts = leaves.iter().map(|id| match tracer.nodes[*id].token {
        Token::Leaf(leaf) => leaf.count(),
        _ => 0,
    });
    let counts: Vec<usize> = counts.collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    if attempt < most {
        return leaves.iter().zip(counts).all(|(id, count)| choose(tracer, *id, attempt.min(count - 1)));
    }
    let mut single = attempt - most;
    for id in leaves {
        choose(tracer, *id, 0);
    }
    for (id, count) in leaves.iter().zip(counts) {
        if single + 1 < count {
            return choose(tracer, *id, single + 1);
        }
        single -= count - 1;
    }
    false
}
