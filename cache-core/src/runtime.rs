//! The one seam to an executor: waiting on this thread, and work in the background.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::error::Result;
use crate::reply::{BoxFuture, Reply};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::thread::{self, Thread};
use crate::sync::thread_local;

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

/// A reply whose operation is under way from now on: its future is polled once.
pub(crate) fn started<T: 'static>(
    future: impl Future<Output = Result<T>> + Send + 'static,
) -> Reply<'static, T> {
    let mut future: BoxFuture<'static, Result<T>> = Box::pin(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Reply::Ready(result),
        // Polled again by whoever awaits it, which tells it whom to wake.
        Poll::Pending => Reply::Pending(future),
    }
}

/// Runs `future` on this thread, parking it while there is nothing to do.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    // Most are done at once, and need nobody to wake this thread.
    if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return output;
    }
    let unpark = UNPARK.with(|kept| kept.borrow_mut().take()).unwrap_or_else(unparker);
    let waker = Waker::from(unpark.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            let _ = UNPARK.with(|kept| kept.borrow_mut().replace(unpark));
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
