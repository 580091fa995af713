//! The one seam to an executor: waiting on this thread, and work in the background.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::reply::BoxFuture;

struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

fn unparker() -> Arc<Unpark> {
    Arc::new(Unpark { thread: thread::current(), woken: AtomicBool::new(false) })
}

thread_local! {
    /// Kept, so that a synchronous miss allocates no waker. Taken out while in use: waits may nest.
    static UNPARK: RefCell<Option<Arc<Unpark>>> = const { RefCell::new(None) };
}

/// Runs `future` on this thread, parking it while there is nothing to do.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let unpark = UNPARK.take().unwrap_or_else(unparker);
    let waker = Waker::from(unpark.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            UNPARK.set(Some(unpark));
            return output;
        }
        while !unpark.woken.swap(false, Ordering::Acquire) {
            wait_on_this_thread();
        }
    }
}

/// Until this thread is unparked; under `check_coherent`, until the check lets it go on.
fn wait_on_this_thread() {
    #[cfg(feature = "testing")]
    if crate::testing::stand_aside() {
        return;
    }
    thread::park();
}

/// Whether this thread runs an async runtime that blocking it would stall.
pub(crate) fn inside_a_runtime() -> bool {
    #[cfg(feature = "tokio")]
    return tokio::runtime::Handle::try_current().is_ok();
    #[cfg(not(feature = "tokio"))]
    false
}

/// Background loads of one cache: how many run, and how many may.
#[derive(Debug)]
pub(crate) struct Background {
    running: Arc<AtomicUsize>,
    limit: usize,
}

impl Background {
    pub(crate) fn new(limit: usize) -> Self {
        Self { running: Arc::default(), limit }
    }

    /// A place for one more background load; `None`: there are enough.
    pub(crate) fn place(&self) -> Option<Place> {
        let place = Place(self.running.clone());
        // The place counts itself down when dropped, here as well.
        (place.0.fetch_add(1, Ordering::Relaxed) < self.limit).then_some(place)
    }
}

/// One running background load.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs `work` in the background: on the caller's tokio runtime if there is one, else on a thread of its own.
/// `blocking` work, which holds its thread, never runs on an async worker.
///
/// If no thread can be had, `work` is dropped, and whoever waits for it notices.
pub(crate) fn spawn(work: BoxFuture<'static, ()>, blocking: bool) {
    // Under `check_coherent` the check decides when it runs.
    #[cfg(feature = "testing")]
    let Err(work) = crate::testing::adopt(work) else { return };
    #[cfg(feature = "tokio")]
    if let Ok(handle) = tokio::runtime::Handle::try_current() {
        if blocking {
            handle.spawn_blocking(move || block_on(work));
        } else {
            handle.spawn(work);
        }
        return;
    }
    let _ = blocking;
    let _ = thread::Builder::new().name("larder-load".into()).spawn(move || block_on(work));
}
