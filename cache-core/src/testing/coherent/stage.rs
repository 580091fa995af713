//! A deterministic executor: one operation at a time goes on, to the next place at which it can be held.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::here::{self, Here, Session};
use super::part::{Answer, Answering, answering};
use crate::reply::BoxFuture;

/// How long everything may wait for something outside of the check.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a run cannot go on.
#[derive(Debug)]
pub(super) enum Broken {
    Panicked(usize, String),
    /// Nothing of this can go on.
    Stuck(Vec<usize>),
}

/// How far an operation has come.
pub(super) enum Came {
    /// It can go on.
    Held,
    /// It waits for another one, or for something outside.
    Waits,
    Done(Box<dyn Answer>),
}

struct Flag {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

struct Task {
    op: usize,
    quiet: bool,
    future: Answering,
    flag: Arc<Flag>,
}

/// The operations under way.
pub(super) struct Stage {
    pub(super) session: Arc<Session>,
    live: Vec<Task>,
    next: usize,
}

/// Nobody in particular: the world's maker, and work in the background.
pub(super) const NOBODY: usize = usize::MAX;

impl Stage {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self { session, live: Vec::new(), next: 0 }
    }

    pub(super) fn here(&self, op: usize, quiet: bool) -> Here {
        Here { session: self.session.clone(), op, quiet, runner: None }
    }

    pub(super) fn is_live(&self, op: usize) -> bool {
        self.live.iter().any(|task| task.op == op)
    }

    /// Brings an operation on, without running it yet.
    pub(super) fn enter(&mut self, op: usize, quiet: bool, future: Answering) {
        let flag = Flag { woken: AtomicBool::new(true), thread: thread::current() };
        self.live.push(Task { op, quiet, future, flag: Arc::new(flag) });
    }

    /// Takes off an operation that is given up.
    pub(super) fn leave(&mut self, op: usize) {
        self.live.retain(|task| task.op != op);
    }

    /// Lets a live operation go on to its next place.
    pub(super) fn resume(&mut self, op: usize) -> Result<Came, Broken> {
        match self.live.iter().position(|task| task.op == op) {
            Some(at) => self.poll(at),
            None => Ok(Came::Waits),
        }
    }

    fn poll(&mut self, at: usize) -> Result<Came, Broken> {
        let here = self.here(self.live[at].op, self.live[at].quiet);
        let task = &mut self.live[at];
        task.flag.woken.store(false, Ordering::Release);
        let waker = Waker::from(task.flag.clone());
        let future = &mut task.future;
        let polled = here::as_here(here, || {
            catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(&waker))))
        });
        let came = match polled {
            Err(panic) => Err(Broken::Panicked(self.live[at].op, words(&*panic))),
            Ok(Poll::Ready(answer)) => Ok(Came::Done(answer)),
            Ok(Poll::Pending) if task.flag.woken.load(Ordering::Acquire) => Ok(Came::Held),
            Ok(Poll::Pending) => Ok(Came::Waits),
        };
        if !matches!(came, Ok(Came::Held | Came::Waits)) {
            drop(self.live.remove(at));
        }
        for work in self.session.take_adopted() {
            self.adopt(work);
        }
        came
    }

    fn adopt(&mut self, work: BoxFuture<'static, ()>) {
        self.enter(NOBODY, false, answering::<(), ()>(work));
    }

    /// Lets `op` go on until it is over, and others where it has to wait for them. Calls of others that are over
    /// meanwhile go to `over`.
    pub(super) fn drive(
        &mut self,
        op: usize,
        over: &mut Vec<(usize, Box<dyn Answer>)>,
    ) -> Result<Option<Box<dyn Answer>>, Broken> {
        let mut waited: Option<Instant> = None;
        while self.is_live(op) {
            match self.resume(op)? {
                Came::Done(answer) => return Ok(Some(answer)),
                Came::Held => waited = None,
                Came::Waits if self.another(op, over)? => waited = None,
                Came::Waits => {
                    if waited.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                        return Err(Broken::Stuck(self.live.iter().map(|task| task.op).collect()));
                    }
                    thread::park_timeout(Duration::from_millis(1));
                }
            }
        }
        Ok(None)
    }

    /// Lets the next operation but `op` go on that can; false if none can.
    pub(super) fn another(
        &mut self,
        op: usize,
        over: &mut Vec<(usize, Box<dyn Answer>)>,
    ) -> Result<bool, Broken> {
        for _ in 0..self.live.len() {
            self.next += 1;
            let at = self.next % self.live.len();
            let other = self.live[at].op;
            if other == op {
                continue;
            }
            match self.poll(at)? {
                Came::Done(answer) => {
                    over.push((other, answer));
                    return Ok(true);
                }
                Came::Held => return Ok(true),
                Came::Waits => {}
            }
            if self.live.is_empty() {
                break;
            }
        }
        Ok(false)
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
