//! Processes over one store, each with its own memory.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use backend_memory::Memory;
use cache_core::{
    Cache, Entry, Fence, Kind, Lifetime, ManualClock, Origin, Reply, Result, Set, Stored, Strength, Target,
    Tiered, TieredBuilder, Value,
};

use crate::hub::{Hub, View};

pub(crate) const KEY: &str = "user:7";
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Fresh for ten seconds, then stale for ten.
pub(crate) const LIFE: Lifetime = Lifetime { fresh: Duration::from_secs(10), total: Duration::from_secs(20) };

/// One process: its memory, its way to the store, and both as one cache.
pub(crate) struct Process {
    pub(crate) memory: Memory,
    pub(crate) view: Arc<View>,
    pub(crate) cache: Arc<Tiered>,
}

impl Process {
    pub(crate) fn cut_off_for(hub: &Arc<Hub>, clock: &ManualClock, l1_ttl: Duration, ttl: Duration) -> Self {
        Self::over(hub.view(), clock, l1_ttl, ttl)
    }

    pub(crate) fn over(view: Arc<View>, clock: &ManualClock, l1_ttl: Duration, ttl: Duration) -> Self {
        Self::built(view, clock, |builder| builder.l1_ttl(l1_ttl).cut_off_ttl(ttl))
    }

    pub(crate) fn built(
        view: Arc<View>,
        clock: &ManualClock,
        build: impl FnOnce(TieredBuilder) -> TieredBuilder,
    ) -> Self {
        let memory = Memory::builder().capacity(1_000).clock(clock.clock()).build();
        let builder = Tiered::builder(Arc::new(memory.clone()), view.clone()).clock(clock.clock());
        Self { memory, view, cache: Arc::new(build(builder).build()) }
    }

    pub(crate) fn set(&self, value: &str) {
        self.store(value, LIFE, &[]);
    }

    pub(crate) fn store(&self, value: &str, lifetime: Lifetime, tags: &[&str]) {
        let tags: Vec<Box<str>> = tags.iter().map(|tag| (*tag).into()).collect();
        let set = Set { tags: &tags, ..Set::new(lifetime) };
        assert_eq!(self.cache.set(KEY, text(value), set).wait().expect("set"), Stored::Yes);
    }

    pub(crate) fn strike(&self, target: Target<'_>, strength: Strength) {
        self.cache.invalidate(target, strength).wait().expect("struck");
    }

    pub(crate) fn get(&self) -> Option<String> {
        self.entry().map(read)
    }

    pub(crate) fn entry(&self) -> Option<Entry> {
        self.cache.get(KEY, Kind::of::<String>()).wait().expect("got")
    }

    /// What memory answers with at a glance.
    pub(crate) fn fresh(&self) -> Option<String> {
        self.cache.fresh(KEY).map(|value| (*value.downcast::<String>().expect("a text")).clone())
    }

    pub(crate) fn fence(&self) -> Fence {
        self.cache.fence(KEY).wait().expect("a fence")
    }

    /// What a load brought.
    pub(crate) fn publish(&self, fence: Fence, value: &str) -> Reply<'_, Stored> {
        self.cache.set(KEY, text(value), Set { fence: Some(fence), ..Set::new(LIFE) })
    }

    pub(crate) fn loaded(&self, fence: Fence, value: &str) -> Result<Stored> {
        let stored = self.publish(fence, value).wait();
        self.cache.release(KEY, fence);
        stored
    }
}

/// So many processes, whose channels stand.
pub(crate) fn processes<const N: usize>(clock: &ManualClock) -> [Process; N] {
    let hub = Hub::new(clock);
    let one = || Process::cut_off_for(&hub, clock, Duration::MAX, SECOND * 5);
    let processes = [(); N].map(|()| one());
    processes.iter().for_each(|process| process.view.restore());
    processes
}

pub(crate) fn text(value: &str) -> Value {
    Value::new(Arc::new(value.to_owned()))
}

pub(crate) fn read(entry: Entry) -> String {
    (*entry.value.downcast::<String>().expect("a text")).clone()
}

/// As it is stored by a policy that says so.
pub(crate) fn origin(tiers: cache_core::Tiers) -> Origin {
    Origin { tiers, ..Origin::default() }
}

/// Asked and not answered: what is asked of the store is done when the reply is made, and answered when it is polled.
pub(crate) fn finish<T>(reply: Reply<'_, T>) -> T {
    reply.wait().expect("answered")
}

/// Polls until it is done.
pub(crate) fn end<F: Future + ?Sized>(mut future: Pin<Box<F>>) -> F::Output {
    loop {
        if let Some(output) = poll(&mut future) {
            return output;
        }
    }
}

/// Polls once; whether it is done.
pub(crate) fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Option<F::Output> {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
