//! The libraries: one file each, with nothing in it but how it is built and called.

mod cached;
mod foyer;
mod larder;
mod moka;
mod quick_cache;

use std::sync::Arc;

use ::larder::{Larder, Moka};

use super::library::{Answer, Library, Load, Loaded, Loader};
use super::verdict::Stop;

/// How one of them is made, anew for each scenario.
pub type Make = fn() -> Arc<dyn Library>;

/// All of them, in the order of the table.
pub const LIBRARIES: [Make; 9] = [
    || larder::over("larder (Memory)", || Larder::memory(CAPACITY), false),
    || larder::over("larder (Memory), sync", || Larder::memory(CAPACITY), true),
    || larder::over("larder (Moka)", || Larder::over(Moka::new(CAPACITY)), false),
    || Arc::new(moka::Future::default()),
    || Arc::new(moka::Sync::default()),
    || Arc::new(quick_cache::QuickCache::default()),
    || Arc::new(foyer::Foyer::default()),
    || Arc::new(cached::ByKey),
    || Arc::new(cached::Concurrent),
];

/// Room for everything: nothing is evicted here.
const CAPACITY: usize = 10_000;

/// A synchronous load, on a thread of its own; `run` drives the loader's future there.
fn on_a_thread(
    load: impl FnOnce(&dyn Fn(Load) -> Loaded) -> Loaded + Send + 'static,
) -> Answer<'static, Loaded> {
    Box::pin(async move {
        let runtime = tokio::runtime::Handle::current();
        let thread = tokio::task::spawn_blocking(move || load(&|future| runtime.block_on(future)));
        // A loader that panics takes its caller with it, as it would without a cache.
        Ok(thread.await.unwrap_or(Err(super::library::Failed)))
    })
}

/// A synchronous call that takes no time to speak of.
fn at_once<'a, T: Send + 'a>(call: impl FnOnce() -> T + Send + 'a) -> Answer<'a, T> {
    Box::pin(async move { Ok(call()) })
}

/// A call of which nobody wants to know more than that it is done. It begins when it is awaited.
fn done<'a, T: Send + 'a>(call: impl Future<Output = T> + Send + 'a) -> Answer<'a, ()> {
    Box::pin(async move {
        call.await;
        Ok(())
    })
}

const SYNCHRONOUS: Stop = Stop::NotThere("a waiting thread cannot be cancelled");
