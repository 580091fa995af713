//! The cache that `#[cached]` uses when it is not told another.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::OnceLock;
use std::task::{Context, Poll};

use cache_core::{Error, ErrorKind, Result};

use crate::Larder;

static GLOBAL: OnceLock<Larder> = OnceLock::new();

thread_local! {
    /// Whether this thread is in a scope: what a hit looks at.
    static SCOPED: Cell<bool> = const { Cell::new(false) };
    static SCOPES: RefCell<Vec<Larder>> = const { RefCell::new(Vec::new()) };
}

/// Makes `cache` the global one. Do so before anything is cached.
///
/// # Errors
/// `Installed`: one was installed already, or the default one is in use.
pub fn install(cache: Larder) -> Result<()> {
    GLOBAL.set(cache).map_err(|_| {
        let message =
            "install: there is a global cache already; install yours first thing in `main`, and once";
        Error::new(ErrorKind::Installed, message)
    })
}

/// The cache of this [`scope`], or the global one: what was [`install`]ed, else 10 000 entries of memory.
pub fn global() -> Larder {
    with_global(Clone::clone)
}

pub(crate) fn with_global<R>(then: impl FnOnce(&Larder) -> R) -> R {
    if SCOPED.get()
        && let Some(cache) = SCOPES.with_borrow(|scopes| scopes.last().cloned())
    {
        return then(&cache);
    }
    then(GLOBAL.get_or_init(|| Larder::memory(10_000)))
}

/// Runs `run` with `cache` as the global one of this thread: for tests, which then share nothing.
///
/// ```
/// use larder::Larder;
/// let cache = Larder::memory(10);
/// larder::scope(&cache, || larder::global().incr("visits", 1).wait()).unwrap();
/// assert_eq!(cache.incr("visits", 1).wait().unwrap(), 2);
/// ```
pub fn scope<R>(cache: &Larder, run: impl FnOnce() -> R) -> R {
    let _scope = Scope::enter(cache.clone());
    run()
}

/// Runs `future` with `cache` as the global one, on whatever thread it is polled. Tasks it spawns are outside.
pub async fn scope_async<F: Future>(cache: &Larder, future: F) -> F::Output {
    Scoped { cache: cache.clone(), future: pin!(future) }.await
}

struct Scoped<'f, F> {
    cache: Larder,
    future: Pin<&'f mut F>,
}

impl<F: Future> Future for Scoped<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _scope = Scope::enter(self.cache.clone());
        self.future.as_mut().poll(cx)
    }
}

/// Leaves by `Drop`, also when what runs in it panics.
struct Scope;

impl Scope {
    fn enter(cache: Larder) -> Self {
        SCOPES.with_borrow_mut(|scopes| scopes.push(cache));
        SCOPED.set(true);
        Self
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let left = SCOPES.with_borrow_mut(|scopes| {
            let cache = scopes.pop();
            SCOPED.set(!scopes.is_empty());
            cache
        });
        // Its drop may be the cache's last, and run a user's code: not under the borrow.
        drop(left);
    }
}
