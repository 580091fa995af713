//! A synchronous operation as a future: it runs on a thread of its own, one stretch for each poll.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use super::here::{self, Here};

/// How long the thread may run before it counts as blocked by what another operation holds (such as a mutex).
const PATIENCE: Duration = Duration::from_millis(100);
/// The same, once it has been found blocked.
const LATER: Duration = Duration::from_millis(1);

enum Event<T> {
    /// Held; `true` if it waits for another operation.
    Held(bool),
    Done(Result<T, Box<dyn Any + Send>>),
}

/// The thread's end of the baton.
pub(super) struct Runner {
    hold: Box<dyn Fn(bool)>,
}

impl Runner {
    /// Gives the baton back, and waits for it.
    pub(super) fn hold(&self, waiting: bool) {
        (self.hold)(waiting);
    }
}

/// The future's end.
pub(super) struct Baton<T> {
    here: Here,
    body: Option<Box<dyn FnOnce() -> T + Send>>,
    go: Option<Sender<()>>,
    events: Option<Receiver<Event<T>>>,
    /// The thread has the baton, and has not given it back in time.
    away: bool,
}

impl<T: Send + 'static> Baton<T> {
    /// Will run `body` as the operation that runs here now.
    pub(super) fn new(here: Here, body: impl FnOnce() -> T + Send + 'static) -> Self {
        Self { here, body: Some(Box::new(body)), go: None, events: None, away: false }
    }

    fn start(&mut self, body: Box<dyn FnOnce() -> T + Send>) {
        let (go, wait) = channel::<()>();
        let (tell, events) = channel();
        let (session, op, quiet) = (self.here.session.clone(), self.here.op, self.here.quiet);
        let run = move || {
            let told = tell.clone();
            let hold = move |waiting| {
                // If the check has given up on this run, nobody answers, and the thread runs to its end.
                if told.send(Event::Held(waiting)).is_err() || wait.recv().is_err() {
                    thread::yield_now();
                }
            };
            let runner = Some(Rc::new(Runner { hold: Box::new(hold) }));
            let here = Here { session, op, quiet, runner };
            let outcome = here::as_here(here, || catch_unwind(AssertUnwindSafe(body)));
            let _ = tell.send(Event::Done(outcome));
        };
        (self.go, self.events) = (Some(go), Some(events));
        // Without a thread the sender is dropped, which `poll` reports.
        drop(thread::Builder::new().name("larder-check".into()).spawn(run));
    }
}

/// Nothing in it is pinned in place.
impl<T> Unpin for Baton<T> {}

impl<T: Send + 'static> Future for Baton<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let mut patience = PATIENCE;
        if let Some(body) = self.body.take() {
            self.start(body);
        } else if self.away {
            patience = LATER;
        } else if let Some(go) = &self.go {
            let _ = go.send(());
        }
        let Some(events) = &self.events else { return Poll::Pending };
        let waiting = match events.recv_timeout(patience) {
            Ok(Event::Done(Ok(output))) => return Poll::Ready(output),
            Ok(Event::Done(Err(panic))) => resume_unwind(panic),
            Ok(Event::Held(waiting)) => {
                self.away = false;
                waiting
            }
            Err(RecvTimeoutError::Timeout) => {
                self.away = true;
                true
            }
            Err(RecvTimeoutError::Disconnected) => {
                panic!("check_coherent: no thread for a blocking operation")
            }
        };
        if !waiting {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}
