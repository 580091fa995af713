//! Filling a cache before it is asked: many loads, some at a time.

use std::future::Future;
use std::iter::Fuse;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde::Serialize;

use super::Engine;

/// How far a warm-up is.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Progress {
    /// Loads that are done, failed ones included.
    pub done: usize,
    /// Those of them that failed.
    pub failed: usize,
    /// How many there are in all, where the iterator knows.
    pub total: Option<usize>,
}

/// What a load of a warm-up may come to: a value, or a result.
#[diagnostic::on_unimplemented(
    message = "a load of a warm-up gives an `Arc` or a `Result`, not `{Self}`",
    note = "give `warm` the futures of `get_or_load`, `try_get_or_load` or the like; another one may end in `Ok::<_, E>(..)`"
)]
pub trait Warmed {
    #[doc(hidden)]
    fn is_warm(&self) -> bool;
}

impl<T: ?Sized> Warmed for Arc<T> {
    fn is_warm(&self) -> bool {
        true
    }
}

impl<T, E> Warmed for Result<T, E> {
    fn is_warm(&self) -> bool {
        self.is_ok()
    }
}

impl Engine {
    /// Runs `loads`, `concurrency` of them at a time, and says how many were done. A load is any future that fills
    /// the cache, such as one of [`get_or_load`](Engine::get_or_load); the iterator is asked for the next one only
    /// when there is room for it. One that fails is counted, and hinders no other.
    ///
    /// ```
    /// # use larder::{testing::Plain, Engine, key, ttl};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let cache = Engine::new(Plain::default());
    /// let loads = (0..100).map(|id| cache.get_or_load(key!("square:{}", id), ttl::LONG, async move || id * id));
    /// let progress = cache.warm(loads, 8).on_progress(|so_far| println!("{so_far:?}")).await;
    /// assert_eq!((progress.done, progress.failed), (100, 0));
    /// # });
    /// ```
    ///
    /// # Cancellation
    /// Dropping the future drops the loads that run; what is loaded stays.
    pub fn warm<'p, I>(&self, loads: I, concurrency: usize) -> Warm<'p, I::IntoIter>
    where
        I: IntoIterator<Item: Future<Output: Warmed>>,
    {
        Warm::new(loads.into_iter(), concurrency)
    }
}

/// A warm-up that runs while it is awaited; see [`Engine::warm`].
#[must_use = "it runs while it is awaited"]
pub struct Warm<'p, I: Iterator> {
    loads: Fuse<I>,
    running: Vec<Pin<Box<I::Item>>>,
    concurrency: usize,
    progress: Progress,
    tell: Option<Box<dyn FnMut(Progress) + Send + 'p>>,
}

impl<'p, I: Iterator> Warm<'p, I> {
    pub(crate) fn new(loads: I, concurrency: usize) -> Self {
        let loads = loads.fuse();
        let total = match loads.size_hint() {
            (least, Some(most)) if least == most => Some(most),
            _ => None,
        };
        let progress = Progress { total, ..Progress::default() };
        Self { loads, running: Vec::new(), concurrency: concurrency.max(1), progress, tell: None }
    }

    /// Calls `tell` after each load.
    pub fn on_progress(mut self, tell: impl FnMut(Progress) + Send + 'p) -> Self {
        self.tell = Some(Box::new(tell));
        self
    }
}

/// The loads are boxed; nothing is pinned in place.
impl<I: Iterator> Unpin for Warm<'_, I> {}

impl<I: Iterator<Item: Future<Output: Warmed>>> Future for Warm<'_, I> {
    type Output = Progress;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Progress> {
        let this = &mut *self;
        let mut next = 0;
        loop {
            // Those that run, then new ones for the places that are free.
            if next == this.running.len() {
                let Some(load) = (next < this.concurrency).then(|| this.loads.next()).flatten() else {
                    break;
                };
                this.running.push(Box::pin(load));
            }
            let Poll::Ready(output) = this.running[next].as_mut().poll(cx) else {
                next += 1;
                continue;
            };
            drop(this.running.swap_remove(next));
            this.progress.done += 1;
            this.progress.failed += usize::from(!output.is_warm());
            if let Some(tell) = &mut this.tell {
                tell(this.progress);
            }
        }
        if this.running.is_empty() { Poll::Ready(this.progress) } else { Poll::Pending }
    }
}
