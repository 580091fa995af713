//! How a value is to be cached, in one value that is cheap to make.

use std::time::Duration;

use crate::deadline::Lifetime;
use crate::error::{Error, ErrorKind, Result};
use crate::target::check_tag;

/// TTLs by name.
pub mod ttl {
    use std::time::Duration;

    /// A minute.
    pub const SHORT: Duration = Duration::from_secs(60);
    /// Five minutes.
    pub const MEDIUM: Duration = Duration::from_secs(300);
    /// Half an hour.
    pub const LONG: Duration = Duration::from_secs(1800);
    /// An hour.
    pub const VERY_LONG: Duration = Duration::from_secs(3600);
    /// A day.
    pub const DAY: Duration = Duration::from_secs(86400);
}

/// How a value is cached: for how long it is fresh, for how long it may be served stale, and under which tags.
///
/// A bare [`Duration`] is a policy too: a TTL and nothing else.
///
/// ```
/// use cache_core::{Policy, ttl};
/// use std::time::Duration;
///
/// let policy = Policy::ttl(ttl::MEDIUM)
///     .swr(Duration::from_secs(60)) // a minute stale, while one load refreshes it
///     .sie(ttl::VERY_LONG) // an hour stale, if loading fails
///     .tags(["users", "school:7"]);
/// # let _ = policy;
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    ttl: Duration,
    swr: Duration,
    sie: Duration,
    tags: Vec<Box<str>>,
}

impl Policy {
    /// Fresh for `ttl`, then gone. Zero is an error where the policy is used.
    pub const fn ttl(ttl: Duration) -> Self {
        Self { ttl, swr: Duration::ZERO, sie: Duration::ZERO, tags: Vec::new() }
    }

    /// Fresh until it is invalidated or evicted.
    pub const fn forever() -> Self {
        Self::ttl(Duration::MAX)
    }

    /// Stale-while-revalidate: for so long after the TTL the stale value is served at once, while one load in
    /// the background refreshes it.
    #[must_use]
    pub fn swr(mut self, window: Duration) -> Self {
        self.swr = window;
        self
    }

    /// Stale-if-error: for so long after the TTL the stale value stands in for a load that fails.
    #[must_use]
    pub fn sie(mut self, window: Duration) -> Self {
        self.sie = window;
        self
    }

    /// The tags to invalidate the entry by. Replaces earlier ones.
    #[must_use]
    pub fn tags<T: AsRef<str>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = tags.into_iter().map(|tag| tag.as_ref().into()).collect();
        self
    }

    /// The same policy for a loader that borrows: it then runs in its caller, also where a refresh would
    /// otherwise run in the background.
    pub fn in_caller(self) -> InCaller {
        InCaller(self)
    }

    pub(crate) fn lifetime(&self) -> Lifetime {
        Lifetime { fresh: self.ttl, total: self.ttl.saturating_add(self.swr.max(self.sie)) }
    }

    pub(crate) fn swr_window(&self) -> Duration {
        self.swr
    }

    pub(crate) fn sie_window(&self) -> Duration {
        self.sie
    }

    pub(crate) fn tag_list(&self) -> &[Box<str>] {
        &self.tags
    }

    pub(crate) fn check(&self) -> Result<()> {
        check_ttl(self.ttl)?;
        self.tags.iter().try_for_each(|tag| check_tag(tag))
    }
}

pub(crate) fn check_ttl(ttl: Duration) -> Result<()> {
    if ttl.is_zero() {
        let message = "a TTL of zero caches nothing: give it some time, `delete` the key, or do not cache";
        return Err(Error::new(ErrorKind::InvalidPolicy, message));
    }
    Ok(())
}

impl From<Duration> for Policy {
    fn from(ttl: Duration) -> Self {
        Self::ttl(ttl)
    }
}

impl From<&Policy> for Policy {
    fn from(policy: &Policy) -> Self {
        policy.clone()
    }
}

/// A [`Policy`] whose loader may borrow; see [`Policy::in_caller`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InCaller(pub(crate) Policy);
