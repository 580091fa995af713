//! A loader while it runs. It leads its flights, has a place among the loads that may run, is counted if it panics, and is
//! given up at its deadline.
//!
//! Only [`Running`] knows the loader's type: everything else here is compiled once, for all loaders.

use std::borrow::Cow;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use super::about::About;
use super::gate::Permit;
use crate::clock::{Deadline, Time, within};
use crate::engine::Engine;
use crate::flight::{Ambient, Lead, Pilot, Piloted};
use crate::stats::Event;

/// Since when a load runs, until when it may, and its place among the loads that may run.
pub(super) struct Begun {
    called: Time,
    began: Time,
    deadline: Option<Time>,
    permit: Option<Permit>,
}

impl Begun {
    /// The loader is done: its place is another's. When it began.
    pub(super) fn over(self) -> Time {
        self.began
    }
}

impl About<'_> {
    /// Waits for a place among the loads that may run, where they are capped. `Err`: until its hard timeout, in vain.
    pub(super) async fn begin(&self, leads: &[Lead]) -> Result<Begun, Begun> {
        let clock = &self.engine.shared.clock;
        let called = clock.now();
        let deadline = self.policy.hard_limit().map(|limit| called + limit);
        let mut begun = Begun { called, began: called, deadline, permit: None };
        if self.engine.shared.gate.is_set() {
            let mut permit = Box::pin(self.permit());
            let permit = pin!(within(clock, deadline, permit.as_mut()));
            match Piloted::new(leads, permit).await {
                Some(permit) => begun.permit = permit,
                None => return Err(begun),
            }
            begun.began = clock.now();
        }
        let place = begun.permit.as_ref().map(Permit::place);
        leads.iter().for_each(|lead| {
            lead.reads();
            lead.started(place);
        });
        self.engine.count(Event::Load);
        Ok(begun)
    }

    pub(super) fn run<'r>(&'r self, leads: &'r [Lead], begun: &Begun) -> Run<'r> {
        self.run_as(self.key, leads, begun)
    }

    /// The closure of a loader that will run elsewhere is called, which gives the future to run.
    pub(super) fn starts<L>(&self, leads: &[Lead], start: impl FnOnce() -> L) -> L {
        leads.iter().for_each(Lead::reads);
        let called = self.engine.shared.clock.now();
        self.run(leads, &Begun { called, began: called, deadline: None, permit: None }).starts(start)
    }

    /// The same under another name, where it loads more than one key.
    pub(super) fn run_as<'r>(
        &'r self,
        name: impl Into<Cow<'r, str>>,
        leads: &'r [Lead],
        begun: &Begun,
    ) -> Run<'r> {
        let deadline = Deadline::new(&self.engine.shared.clock, begun.deadline);
        Run {
            engine: self.engine,
            name: name.into(),
            called: begun.called,
            deadline,
            pilot: Pilot::new(leads),
        }
    }
}

/// See the module.
pub(super) struct Run<'r> {
    engine: &'r Engine,
    /// What it is called where it is told of.
    name: Cow<'r, str>,
    called: Time,
    deadline: Deadline<'r>,
    pilot: Pilot<'r>,
}

impl<'r> Run<'r> {
    /// Its closure is called, which gives the future to run.
    pub(super) fn starts<L>(&self, start: impl FnOnce() -> L) -> L {
        let entered = self.enter(&Context::from_waker(Waker::noop()));
        let loader = start();
        entered.left();
        loader
    }

    /// The code of the loader runs until what this returns is told that it has [left](Entered::left).
    fn enter(&self, cx: &Context<'_>) -> Entered<'_> {
        Entered { run: self, left: false, _ambient: self.pilot.enter(cx) }
    }

    /// It is not done. Whether it is given up.
    fn waits(&mut self, cx: &Context<'_>) -> bool {
        self.pilot.waits(cx);
        self.deadline.is_over(cx)
    }
}

/// The loader's code runs. Dropped without having [left](Entered::left), a panic unwinds through it: that is a failed load.
struct Entered<'r> {
    run: &'r Run<'r>,
    left: bool,
    _ambient: Ambient,
}

impl Entered<'_> {
    fn left(mut self) {
        self.left = true;
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if !self.left {
            let Run { engine, name, called, .. } = self.run;
            engine.loaded(name, engine.shared.clock.now() - *called, false);
        }
    }
}

/// The loader's own future, run. `None`: given up at its deadline.
pub(super) struct Running<'r, L> {
    run: Run<'r>,
    loader: Pin<&'r mut L>,
}

impl<'r, L> Running<'r, L> {
    pub(super) fn new(run: Run<'r>, loader: Pin<&'r mut L>) -> Self {
        Self { run, loader }
    }
}

impl<L: Future> Future for Running<'_, L> {
    type Output = Option<L::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { run, loader } = &mut *self;
        let entered = run.enter(cx);
        let poll = loader.as_mut().poll(cx);
        entered.left();
        match poll {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if run.waits(cx) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}
