//! What a check knows of the code that runs on this thread: which operation it is, and what it does to the cache.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use parking_lot::Mutex;

use super::baton::Runner;
use crate::cache::Cache;
use crate::reply::BoxFuture;
use crate::target::Named;

/// One run of a program under check.
#[derive(Default)]
pub(super) struct Session {
    /// Whether what is done to the cache is noted down: only where it is to be explained.
    tracing: bool,
    log: Mutex<Vec<(usize, Deed)>>,
    /// Where each operation was held, in order.
    places: Mutex<Vec<(usize, Place)>>,
    /// Work that the program gave away: refreshes in the background.
    adopted: Mutex<Vec<BoxFuture<'static, ()>>>,
    caches: Mutex<Vec<Arc<dyn Cache>>>,
}

/// Where an operation can be held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Read,
    Fence,
    Load,
    Publish,
    Published,
    Wrote,
    Pause,
}

impl Place {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Read => "before it reads the cache",
            Self::Fence => "before its load takes a fence",
            Self::Load => "when its load has begun",
            Self::Publish => "with what it has loaded, before that is stored",
            Self::Published => "when it has stored what it loaded",
            Self::Wrote => "when it has changed or invalidated something in the cache",
            Self::Pause => "at a pause",
        }
    }
}

/// What an operation did to a cache.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Hit {
        cache: usize,
        key: Box<str>,
    },
    Stored {
        cache: usize,
        key: Box<str>,
        tags: Vec<Box<str>>,
        fenced: bool,
    },
    /// Writing a key counts as one.
    Struck {
        cache: usize,
        target: Named,
    },
}

impl Session {
    pub(super) fn new(tracing: bool) -> Arc<Self> {
        Arc::new(Self { tracing, ..Self::default() })
    }

    pub(super) fn log(&self) -> Vec<(usize, Deed)> {
        self.log.lock().clone()
    }

    pub(super) fn logged(&self) -> usize {
        self.log.lock().len()
    }

    /// Where `op` was held for the `nth` time.
    pub(super) fn place(&self, op: usize, nth: usize) -> Option<Place> {
        self.places.lock().iter().filter(|(held, _)| *held == op).nth(nth).map(|(_, place)| *place)
    }

    pub(super) fn take_adopted(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut *self.adopted.lock())
    }

    pub(super) fn cache(&self, number: usize) -> Option<Arc<dyn Cache>> {
        self.caches.lock().get(number).cloned()
    }

    pub(super) fn has_caches(&self) -> bool {
        !self.caches.lock().is_empty()
    }

    /// Takes a cache that the program has built under watch; its number.
    pub(super) fn admit(&self, cache: Arc<dyn Cache>) -> usize {
        let mut caches = self.caches.lock();
        caches.push(cache);
        caches.len() - 1
    }
}

/// Who runs on this thread.
#[derive(Clone)]
pub(super) struct Here {
    pub(super) session: Arc<Session>,
    pub(super) op: usize,
    /// Nothing is interleaved with it: the truth is being found out.
    pub(super) quiet: bool,
    /// Where a thread of its own asks to be held.
    pub(super) runner: Option<Rc<Runner>>,
}

thread_local! {
    static HERE: RefCell<Option<Here>> = const { RefCell::new(None) };
}

/// Runs `run` as `here`.
pub(super) fn as_here<R>(here: Here, run: impl FnOnce() -> R) -> R {
    struct Leave(Option<Here>);
    impl Drop for Leave {
        fn drop(&mut self) {
            drop(HERE.replace(self.0.take()));
        }
    }
    let _leave = Leave(HERE.replace(Some(here)));
    run()
}

/// Who runs here; nobody outside a check.
pub(super) fn here() -> Option<Here> {
    HERE.with_borrow(Clone::clone)
}

pub(super) fn is_watched() -> bool {
    HERE.with_borrow(Option::is_some)
}

/// Notes down what is done to the cache here.
pub(super) fn note(deed: impl FnOnce() -> Deed) {
    if let Some(here) = here().filter(|here| here.session.tracing) {
        here.session.log.lock().push((here.op, deed()));
    }
}

/// Notes down where the operation is about to be held.
pub(super) fn held(here: &Here, place: Place) {
    if here.session.tracing {
        here.session.places.lock().push((here.op, place));
    }
}

/// Gives `work`, which was to run in the background, to the check, which then decides when it runs.
pub(crate) fn adopt(work: BoxFuture<'static, ()>) -> Result<(), BoxFuture<'static, ()>> {
    match here() {
        Some(here) => {
            here.session.adopted.lock().push(work);
            Ok(())
        }
        None => Err(work),
    }
}

/// A thread of a check that has to wait lets others go on; false outside a check, where it has to park.
pub(crate) fn stand_aside() -> bool {
    match here().and_then(|here| here.runner) {
        Some(runner) => {
            runner.hold(true);
            true
        }
        None => false,
    }
}
