//! What a scenario can ask of a cache. What a library has no call for answers [`Stop::NotThere`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::verdict::Stop;

/// The error of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the load failed")
    }
}

impl std::error::Error for Failed {}

/// An answer that may take a while.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Stop>> + Send + 'a>>;
/// What a loader runs.
pub type Load = Pin<Box<dyn Future<Output = Result<u64, Failed>> + Send>>;
/// Reads the source.
pub type Loader = Box<dyn FnOnce() -> Load + Send>;
/// What a caller of a load is given.
pub type Loaded = Result<u64, Failed>;

/// The windows of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Fresh for so long.
    pub ttl: Duration,
    /// Served stale for so long more, while one load refreshes it.
    pub swr: Duration,
    /// Served stale for so long more, where a load fails.
    pub sie: Duration,
}

/// The library lacks it.
pub(crate) fn none<'a, T: Send + 'a>(what: &'static str) -> Answer<'a, T> {
    Box::pin(async move { Err(Stop::NotThere(what)) })
}

/// One cache in one way of using it.
pub trait Library: Send + Sync + 'static {
    /// As the table has it.
    fn name(&self) -> &'static str;

    /// A second cache, of the same kind.
    fn another(&self) -> Arc<dyn Library>;

    /// The value of `key`; what `loader` gives is stored where there is none, and callers meanwhile share it.
    fn load(&self, key: &str, loader: Loader) -> Answer<'static, Loaded>;

    /// The value of `key`, if it is there.
    fn get<'a>(&'a self, key: &'a str) -> Answer<'a, Option<u64>>;

    /// Stores a value.
    fn set<'a>(&'a self, key: &'a str, value: u64) -> Answer<'a, ()>;

    /// Removes the entry of `key`.
    fn remove<'a>(&'a self, key: &'a str) -> Answer<'a, ()>;

    /// Removes everything.
    fn clear(&self) -> Answer<'_, ()>;

    /// Removes the entries whose keys begin with `prefix`.
    fn remove_prefix<'a>(&'a self, _prefix: &'a str) -> Answer<'a, ()> {
        none("has no removal by pattern or predicate")
    }

    /// [`load`](Library::load) of an entry that bears `tag`.
    fn load_tagged(&self, _key: &str, _tag: &str, _loader: Loader) -> Answer<'static, Loaded> {
        none("has no tags")
    }

    /// Removes the entries that bear `tag`.
    fn remove_tag<'a>(&'a self, _tag: &'a str) -> Answer<'a, ()> {
        none("has no tags")
    }

    /// [`load`](Library::load) under these windows, of an entry that bears its key as a tag.
    fn load_stale(&self, _key: &str, _windows: Windows, _loader: Loader) -> Answer<'static, Loaded> {
        none("serves nothing stale")
    }

    /// Stores a value with a time to live of its own.
    fn set_for<'a>(&'a self, _key: &'a str, _value: u64, _ttl: Duration) -> Answer<'a, ()> {
        none("has no TTL per entry")
    }

    /// Whether a caller who waits can be cancelled: a thread cannot.
    fn can_be_cancelled(&self) -> Result<(), Stop> {
        Ok(())
    }

    /// Whether loads run on while no caller waits for them: only then is there something in the background to race.
    fn fills_in_the_background(&self) -> Result<(), Stop> {
        Err(Stop::NotThere("loads nothing in the background"))
    }

    /// The key that the library's own means make of a template `parts:{}:{}` and two arguments.
    fn key_of(&self, _a: &str, _b: &str) -> Result<String, Stop> {
        Err(Stop::NotThere("makes no keys from templates"))
    }

    /// A pattern for the keys of [`key_of`](Library::key_of) whose first argument is `a`, to be removed by.
    fn remove_first_argument<'a>(&'a self, _a: &'a str) -> Answer<'a, ()> {
        none("makes no patterns from templates")
    }
}
