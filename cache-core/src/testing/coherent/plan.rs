//! What a run does, and in which order: made from a seed, and made smaller.

use std::ops::Range;

/// One call of a reader or a writer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Call {
    /// Which reader or writer.
    pub(super) part: usize,
    pub(super) argument: u64,
}

/// A step of the schedule. Calls are named by their number; one that is over is left alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    /// It begins, and goes on to the first place at which it can be held.
    Start(usize),
    /// It goes on to the next such place.
    Resume(usize),
    /// It goes on (or begins and goes on) to its end, unless it has to wait for others.
    Finish(usize),
}

impl Step {
    pub(super) fn call(self) -> usize {
        match self {
            Self::Start(call) | Self::Resume(call) | Self::Finish(call) => call,
        }
    }
}

/// The calls of a run and their schedule. What has begun and is not over at the end of it is run to its end; then
/// everything that was read is read once more.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Plan {
    pub(super) calls: Vec<Call>,
    pub(super) steps: Vec<Step>,
}

/// How long plans are made.
const CALLS: Range<u64> = 2..9;
/// One plan in so many is a [`row`](Plan::row).
const ROWS: u64 = 10;
/// How often a row writes.
const WRITES: usize = 8;

impl Plan {
    pub(super) fn random(seed: u64, readers: usize, writers: usize, arguments: u64) -> Self {
        let mut random = Random(seed);
        if random.below(ROWS) == 0 {
            return Self::row(&mut random, readers, writers, arguments);
        }
        let count = random.below(CALLS.end - CALLS.start) + CALLS.start;
        let mut plan = Self::default();
        for call in 0..count as usize {
            let reads = random.below(5) < 3;
            let part = match reads {
                true => random.below(readers as u64) as usize,
                false => readers + random.below(writers as u64) as usize,
            };
            plan.calls.push(Call { part, argument: random.below(arguments) });
            // A reader is more often held, a writer more often whole: a load across a write is what goes wrong.
            let whole = random.below(4) < if reads { 1 } else { 2 };
            plan.steps.push(if whole { Step::Finish(call) } else { Step::Start(call) });
            for _ in 0..random.below(6) {
                plan.steps.push(Step::Resume(random.below(call as u64 + 1) as usize));
            }
            if random.below(4) == 0 {
                plan.steps.push(Step::Finish(random.below(call as u64 + 1) as usize));
            }
        }
        plan
    }

    /// One writer and one reader by turns, of one argument, each whole: for a writer that forgets to invalidate only now
    /// and then, which other plans are too short to meet.
    fn row(random: &mut Random, readers: usize, writers: usize, arguments: u64) -> Self {
        let argument = random.below(arguments);
        let reader = Call { part: random.below(readers as u64) as usize, argument };
        let writer = Call { part: readers + random.below(writers as u64) as usize, argument };
        let calls: Vec<Call> = [writer, reader].repeat(WRITES);
        let steps = (0..calls.len()).map(Step::Finish).collect();
        Self { calls, steps }
    }

    /// The plan without the calls for which `drop` says so.
    pub(super) fn without(&self, drop: impl Fn(usize) -> bool) -> Self {
        let mut number = 0;
        let numbers: Vec<Option<usize>> = (0..self.calls.len())
            .map(|call| {
                (!drop(call)).then(|| {
                    number += 1;
                    number - 1
                })
            })
            .collect();
        let calls = self.calls.iter().zip(&numbers).filter(|(_, kept)| kept.is_some()).map(|(call, _)| *call);
        let steps = self.steps.iter().filter_map(|step| {
            let call = numbers[step.call()]?;
            Some(match step {
                Step::Start(_) => Step::Start(call),
                Step::Resume(_) => Step::Resume(call),
                Step::Finish(_) => Step::Finish(call),
            })
        });
        Self { calls: calls.collect(), steps: steps.collect() }
    }

    /// The plan with `call` done at once where it begins.
    fn whole(&self, call: usize) -> Self {
        let mut plan = self.clone();
        plan.steps
            .retain(|step| step.call() != call || *step == Step::Start(call) || *step == Step::Finish(call));
        let begins = plan.steps.iter().position(|step| step.call() == call);
        let mut at = 0;
        plan.steps.retain(|step| {
            at += 1;
            step.call() != call || Some(at - 1) == begins
        });
        if let Some(begins) = begins {
            plan.steps[begins] = Step::Finish(call);
        }
        plan
    }

    /// Plans that are a little smaller, the most promising first.
    pub(super) fn smaller(&self) -> Vec<Self> {
        let calls = self.calls.len();
        let mut plans = Vec::new();
        if calls > 3 {
            plans.push(self.without(|call| call < calls / 2));
            plans.push(self.without(|call| call >= calls / 2));
        }
        plans.extend((0..calls).rev().map(|dropped| self.without(|call| call == dropped)));
        plans.extend((0..calls).map(|call| self.whole(call)));
        plans.extend((0..self.steps.len()).rev().filter(|step| !self.begins(*step)).map(|step| {
            let mut plan = self.clone();
            plan.steps.remove(step);
            plan
        }));
        plans.extend((0..calls).filter(|call| self.calls[*call].argument > 0).map(|call| {
            let mut plan = self.clone();
            plan.calls[call].argument = 0;
            plan
        }));
        // The same argument everywhere, where it has to be the same.
        let mut zeros = self.clone();
        zeros.calls.iter_mut().for_each(|call| call.argument = 0);
        plans.push(zeros);
        plans.retain(|plan| plan != self);
        plans
    }

    fn begins(&self, step: usize) -> bool {
        let call = self.steps[step].call();
        self.steps[..step].iter().all(|step| step.call() != call)
    }
}

/// SplitMix64: a run is replayed from its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `bound`, which is not zero.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}
