//! One run of a plan, in a world of its own, and what is wrong with it.

use std::sync::Arc;

use super::here::{self, Session};
use super::part::{Answer, Answering, Part};
use super::plan::{Call, Plan, Step};
use super::stage::{Broken, Came, NOBODY, Stage};

/// A read that did not show the truth.
pub(super) struct Stale {
    /// The call; one beyond the plan's is the read that was made when all was over.
    pub(super) call: usize,
    pub(super) of: Call,
    pub(super) shown: Box<dyn Answer>,
    pub(super) truth: Box<dyn Answer>,
}

/// What a run came to.
pub(super) enum Outcome {
    Coherent,
    Stale(Stale),
    Broken(Broken),
}

/// When the answer to the read under suspicion changed.
pub(super) struct Focus {
    pub(super) of: Call,
    truth: Option<Box<dyn Answer>>,
    /// The call that changed it last, and how much had been done to the cache before it went on to do so.
    pub(super) changed: Option<(usize, usize)>,
}

impl Focus {
    pub(super) fn on(of: Call) -> Self {
        Self { of, truth: None, changed: None }
    }
}

pub(super) struct Run<'p, W> {
    parts: &'p [Part<W>],
    pub(super) world: Arc<W>,
    pub(super) stage: Stage,
    /// By call: it is a read that began, or was under way, while a writer was.
    overlapped: Vec<bool>,
    started: Vec<bool>,
    calls: Vec<Call>,
    /// Reads that are over, to be judged.
    over: Vec<(usize, Box<dyn Answer>)>,
    pub(super) focus: Option<Focus>,
}

/// The op under which the truth is found out.
const TRUTH: usize = NOBODY - 1;

impl<'p, W: 'static> Run<'p, W> {
    pub(super) fn new(parts: &'p [Part<W>], world: &dyn Fn() -> W, tracing: bool) -> Self {
        let stage = Stage::new(Session::new(tracing));
        let world = Arc::new(here::as_here(stage.here(NOBODY, true), world));
        Self {
            parts,
            world,
            stage,
            overlapped: Vec::new(),
            started: Vec::new(),
            calls: Vec::new(),
            over: Vec::new(),
            focus: None,
        }
    }

    pub(super) fn play(&mut self, plan: &Plan) -> Outcome {
        match self.try_play(plan) {
            Ok(None) => Outcome::Coherent,
            Ok(Some(stale)) => Outcome::Stale(stale),
            Err(broken) => Outcome::Broken(broken),
        }
    }

    fn try_play(&mut self, plan: &Plan) -> Result<Option<Stale>, Broken> {
        self.calls.clone_from(&plan.calls);
        self.overlapped = vec![false; plan.calls.len()];
        self.started = vec![false; plan.calls.len()];
        self.look()?;
        for step in &plan.steps {
            self.step(*step)?;
            if let Some(stale) = self.judge()? {
                return Ok(Some(stale));
            }
        }
        for call in 0..plan.calls.len() {
            self.drive(call)?;
            if let Some(stale) = self.judge()? {
                return Ok(Some(stale));
            }
        }
        self.drive(NOBODY)?;
        self.read_all_again(plan)
    }

    fn step(&mut self, step: Step) -> Result<(), Broken> {
        let call = step.call();
        if !self.started[call] {
            self.start(call);
        }
        match step {
            Step::Finish(_) => while self.advance(call)? {},
            // What is over makes room for work in the background.
            Step::Resume(_) if !self.stage.is_live(call) => drop(self.stage.resume(NOBODY)?),
            Step::Start(_) | Step::Resume(_) => drop(self.advance(call)?),
        }
        Ok(())
    }

    fn is_writer(&self, call: usize) -> bool {
        self.parts[self.calls[call].part].truth.is_none()
    }

    fn start(&mut self, call: usize) {
        self.started[call] = true;
        let live: Vec<usize> = (0..self.started.len()).filter(|other| self.stage.is_live(*other)).collect();
        if self.is_writer(call) {
            live.into_iter().for_each(|other| self.overlapped[other] = true);
        } else {
            self.overlapped[call] = live.into_iter().any(|other| self.is_writer(other));
        }
        let future = self.future(self.calls[call], call, false);
        self.stage.enter(call, false, future);
    }

    fn future(&self, of: Call, op: usize, truth: bool) -> Answering {
        let part = &self.parts[of.part];
        let body = part.truth.as_ref().filter(|_| truth).unwrap_or(&part.body);
        here::as_here(self.stage.here(op, truth), || body(self.world.clone(), of.argument))
    }

    /// One stretch of `call`; whether it can go on.
    fn advance(&mut self, call: usize) -> Result<bool, Broken> {
        let before = self.stage.session.logged();
        let came = self.stage.resume(call)?;
        self.looked_at(call, before)?;
        match came {
            Came::Done(answer) => {
                self.over.push((call, answer));
                Ok(false)
            }
            Came::Held => Ok(true),
            Came::Waits => Ok(false),
        }
    }

    fn drive(&mut self, call: usize) -> Result<(), Broken> {
        while self.advance(call)? {}
        let before = self.stage.session.logged();
        while let Some(answer) = self.stage.drive(call, &mut self.over)? {
            self.over.push((call, answer));
        }
        self.looked_at(call, before)
    }

    /// Finds out the truth, while others may have to go on for that.
    fn truth(&mut self, of: Call) -> Result<Box<dyn Answer>, Broken> {
        self.quietly(of, true)
    }

    fn quietly(&mut self, of: Call, truth: bool) -> Result<Box<dyn Answer>, Broken> {
        let future = self.future(of, TRUTH, truth);
        self.stage.enter(TRUTH, true, future);
        let answer = self.stage.drive(TRUTH, &mut self.over)?;
        answer.ok_or_else(|| Broken::Stuck(vec![TRUTH]))
    }

    /// Reads once more, with nothing in between.
    pub(super) fn read(&mut self, of: Call) -> Option<Box<dyn Answer>> {
        self.quietly(of, false).ok()
    }

    /// The first of the reads just over that did not show the truth. A read that a writer overlapped may show what
    /// was before it or after it, or some of both: it says nothing.
    fn judge(&mut self) -> Result<Option<Stale>, Broken> {
        while !self.over.is_empty() {
            let (call, shown) = self.over.remove(0);
            if call >= self.calls.len() || self.is_writer(call) || self.overlapped[call] {
                continue;
            }
            let of = self.calls[call];
            let truth = self.truth(of)?;
            if !shown.equals(&*truth) {
                return Ok(Some(Stale { call, of, shown, truth }));
            }
        }
        Ok(None)
    }

    fn read_all_again(&mut self, plan: &Plan) -> Result<Option<Stale>, Broken> {
        let mut asked: Vec<Call> = Vec::new();
        for call in 0..plan.calls.len() {
            if !self.is_writer(call) && !asked.contains(&self.calls[call]) {
                asked.push(self.calls[call]);
            }
        }
        for (again, of) in asked.into_iter().enumerate() {
            let call = plan.calls.len() + again;
            self.stage.enter(call, true, self.future(of, call, false));
            let shown = self.stage.drive(call, &mut self.over)?;
            let shown = shown.ok_or_else(|| Broken::Stuck(vec![call]))?;
            let truth = self.truth(of)?;
            if !shown.equals(&*truth) {
                return Ok(Some(Stale { call, of, shown, truth }));
            }
        }
        Ok(None)
    }

    /// Notes whether the truth under suspicion has just been changed by the writer `call`, which went on when so much
    /// had been done to the cache.
    fn looked_at(&mut self, call: usize, before: usize) -> Result<(), Broken> {
        if self.focus.is_none() || call >= self.calls.len() || !self.is_writer(call) {
            return Ok(());
        }
        if self.look()?
            && let Some(focus) = &mut self.focus
        {
            focus.changed = Some((call, before));
        }
        Ok(())
    }

    /// Looks at the truth under suspicion, if it can be had at once: the writer may hold what it needs.
    fn look(&mut self) -> Result<bool, Broken> {
        let Some(mut focus) = self.focus.take() else { return Ok(false) };
        let future = self.future(focus.of, TRUTH, true);
        self.stage.enter(TRUTH, true, future);
        let came = self.stage.resume(TRUTH)?;
        self.stage.leave(TRUTH);
        let mut changed = false;
        if let Came::Done(truth) = came {
            changed = focus.truth.as_ref().is_some_and(|before| !before.equals(&*truth));
            focus.truth = Some(truth);
        }
        self.focus = Some(focus);
        Ok(changed)
    }
}
