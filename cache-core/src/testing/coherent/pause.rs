//! The points at which a check can hold an operation.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::here::{self, Place};

/// A place where a check may hold this operation while others go on; costs next to nothing outside of one.
///
/// Every operation of a cache that is not a plain hit has such a place already, so a load can be held before it
/// reads its source and before its value is stored. Put more of them where a program does several things one after
/// the other: between two queries of a loader, or between a write and its invalidation.
///
/// ```
/// # async fn commit() {}
/// # async fn enrol(cache: &larder::Engine) -> larder::Result<()> {
/// commit().await;
/// larder::testing::pause().await; // a reader may come just here
/// cache.invalidate_tag("students").await
/// # }
/// ```
pub fn pause() -> Pause {
    Pause { place: Place::Pause, held: false }
}

pub(super) fn point(place: Place) -> Pause {
    Pause { place, held: false }
}

/// A place to be held at; see [`pause`]. Await it, or [`wait`](Pause::wait) from synchronous code.
#[derive(Debug)]
#[must_use = "await it, or call `.wait()`"]
pub struct Pause {
    place: Place,
    held: bool,
}

impl Pause {
    /// The same for synchronous code.
    pub fn wait(self) {
        if let Some(here) = here::here().filter(|here| !here.quiet)
            && let Some(runner) = &here.runner
        {
            here::held(&here, self.place);
            runner.hold(false);
        }
    }
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.held, true) {
            return Poll::Ready(());
        }
        let Some(here) = here::here().filter(|here| !here.quiet) else { return Poll::Ready(()) };
        here::held(&here, self.place);
        match here.runner {
            Some(runner) => {
                runner.hold(false);
                Poll::Ready(())
            }
            None => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}
