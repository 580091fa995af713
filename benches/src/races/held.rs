//! Loads that begin, and end, when a scenario says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;

use super::library::{Failed, Loader};
use super::verdict::{Stop, within};

/// A load in flight, and the two ends of what holds it.
pub(crate) struct Held {
    started: oneshot::Receiver<()>,
    release: oneshot::Sender<Result<u64, Failed>>,
}

/// A loader that says when it has begun, and then waits for its value.
pub(crate) fn held() -> (Loader, Held) {
    let (begun, started) = oneshot::channel();
    let (release, value) = oneshot::channel();
    let loader: Loader = Box::new(move || {
        Box::pin(async move {
            // Nobody listens any more where the scenario is over.
            let _ = begun.send(());
            value.await.unwrap_or(Err(Failed))
        })
    });
    (loader, Held { started, release })
}

impl Held {
    /// Waits until the loader runs: from now on it may have read its source.
    pub(crate) async fn started(&mut self) -> Result<(), Stop> {
        within("the load never begins", &mut self.started).await.map(drop)
    }

    /// Lets the load end.
    pub(crate) fn end(self, value: Result<u64, Failed>) {
        // A load that was cancelled wants no value.
        let _ = self.release.send(value);
    }
}

/// A loader that gives `value` at once.
pub(crate) fn ready(value: Result<u64, Failed>) -> Loader {
    Box::new(move || Box::pin(async move { value }))
}

/// `loader`, which panics instead of giving its value.
pub(crate) fn panicking(loader: Loader) -> Loader {
    Box::new(|| {
        Box::pin(async {
            let _ = loader().await;
            panic!("this loader panics")
        })
    })
}

/// Counts the loads that really ran.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    /// `loader`, counted when it runs.
    pub(crate) fn counted(&self, loader: Loader) -> Loader {
        let count = self.0.clone();
        Box::new(move || {
            // When it is polled: foyer makes the future of every caller, and then runs one of them.
            Box::pin(async move {
                count.fetch_add(1, Ordering::SeqCst);
                loader().await
            })
        })
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Lets every task and thread that can run do so, until it waits for something.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
}
