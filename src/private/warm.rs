//! Warming the cache by a synchronous function: on some threads at a time.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

use cache_core::Progress;
use cache_core::private::Shape;

/// Calls `call` with `with` and each item. The two are sent to the threads together, which an `impl` can ask of types
/// it does not know without asking it of those it does.
pub fn warm_sync<S, I, T, O, R>(
    with: S,
    items: I,
    concurrency: usize,
    shape: Shape<T, O, R>,
    call: fn(S, I::Item) -> R,
) -> Progress
where
    S: Clone,
    I: IntoIterator,
    (S, I::IntoIter): Send,
{
    let (failed, items) = (shape.failed, items.into_iter());
    let total = items.size_hint().1.filter(|most| *most == items.size_hint().0);
    let (done, failures) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let source = Mutex::new((with, items));
    let next = || {
        let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
        let item = source.1.next()?;
        Some((source.0.clone(), item))
    };
    let work = || {
        while let Some((with, item)) = next() {
            failures.fetch_add(usize::from(failed(&call(with, item))), Relaxed);
            done.fetch_add(1, Relaxed);
        }
    };
    #[cfg(feature = "memory")]
    let cache = crate::global();
    thread::scope(|threads| {
        for _ in 0..concurrency.max(1) {
            threads.spawn(|| {
                #[cfg(feature = "memory")]
                crate::scope(&cache, work);
                #[cfg(not(feature = "memory"))]
                work();
            });
        }
    });
    let mut progress = Progress::default();
    (progress.done, progress.failed, progress.total) = (done.into_inner(), failures.into_inner(), total);
    progress
}
