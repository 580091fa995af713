//! The caches that every scenario runs over, all with a clock that stands until it is turned; and how to wait for what
//! runs meanwhile.

#![allow(dead_code)] // each test program uses its part

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::time::Duration;

#[cfg(feature = "moka")]
use larder::Moka;
use larder::testing::{Plain, Remote};
use larder::{Cache, Larder, ManualClock, Memory, Tiered, Timeout};

pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// What a loader may fail with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    Source,
    Timeout,
}

impl From<Timeout> for Failure {
    fn from(_: Timeout) -> Self {
        Self::Timeout
    }
}

/// Lets what runs in the background end.
pub(crate) async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// The output of what must not hang.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(8), future).await.expect("it hangs")
}

pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) cache: Larder,
    pub(crate) clock: ManualClock,
}

fn over(clock: &ManualClock, namespace: Option<&str>, backend: impl Cache) -> Larder {
    let mut builder = Larder::builder().clock(clock.clock()).backend(backend);
    if let Some(namespace) = namespace {
        builder = builder.namespace(namespace);
    }
    builder.build()
}

fn memory(clock: &ManualClock) -> Memory {
    Memory::builder().capacity(1000).clock(clock.clock()).build()
}

/// Memory in front of `far`.
fn tiered(clock: &ManualClock, far: impl Cache) -> Tiered {
    Tiered::builder(Arc::new(memory(clock)), Arc::new(far)).clock(clock.clock()).build()
}

#[cfg(feature = "moka")]
fn moka(clock: &ManualClock) -> Moka {
    Moka::builder().capacity(1000).clock(clock.clock()).build()
}

/// Memory and Moka, bare and in a namespace; the plain reference; both as a remote backend would answer; and two tiers.
pub(crate) fn subjects() -> Vec<Subject> {
    let mut subjects = Vec::new();
    let mut add = |name, make: fn(&ManualClock) -> Larder| {
        let clock = ManualClock::new();
        subjects.push(Subject { name, cache: make(&clock), clock });
    };
    add("memory", |clock| over(clock, None, memory(clock)));
    add("memory in a namespace", |clock| over(clock, Some("campus"), memory(clock)));
    add("plain", |clock| over(clock, None, Plain::new(clock.clock())));
    add("remote memory", |clock| over(clock, None, Remote::new(memory(clock))));
    add("remote plain", |clock| over(clock, None, Remote::new(Plain::new(clock.clock()))));
    add("two tiers", |clock| over(clock, None, tiered(clock, memory(clock))));
    add("remote behind memory", |clock| over(clock, None, tiered(clock, Remote::new(memory(clock)))));
    #[cfg(feature = "moka")]
    {
        add("moka", |clock| over(clock, None, moka(clock)));
        add("moka in a namespace", |clock| over(clock, Some("campus"), moka(clock)));
        add("remote moka", |clock| over(clock, None, Remote::new(moka(clock))));
    }
    subjects
}

/// How many loads run, the most that ever did, and all that began.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) now: AtomicU32,
    pub(crate) most: AtomicU32,
    pub(crate) all: AtomicU32,
}

impl Counted {
    pub(crate) async fn load(&self) -> u32 {
        self.all.fetch_add(1, SeqCst);
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
        settle().await;
        self.now.fetch_sub(1, SeqCst);
        7
    }
}

/// Whether it is done; nobody is woken.
pub(crate) fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> bool {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
}
