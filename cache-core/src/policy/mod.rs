//! How a value is to be cached, in one value that is cheap to make.

mod check;
mod fill;
mod mode;
pub mod ttl;

use std::marker::PhantomData;
use std::time::Duration;

pub(crate) use check::check_ttl;
pub use mode::{Background, InCaller, Limited, Limits, Runs, Unlimited};

use crate::entry::{Origin, Tiers};
use mode::Mode;

/// How a value is cached: for how long it is fresh, for how long it may be served stale, under which tags, and how it
/// is loaded anew.
///
/// A bare [`Duration`] is a policy too: a TTL and nothing else. The parameters say what the policy asks of a loader
/// ([`Background`] or [`InCaller`], [`Unlimited`] or [`Limited`]); they come from the methods, nobody needs to write
/// them.
///
/// ```
/// use larder::{Policy, ttl};
/// use std::time::Duration;
///
/// let policy = Policy::ttl(ttl::MEDIUM)
///     .swr(Duration::from_secs(60)) // a minute stale, while one load refreshes it
///     .sie(ttl::VERY_LONG) // an hour stale, if loading fails
///     .jitter(0.1) // up to a tenth less, so that what was filled at once does not end at once
///     .tags(["users", "school:7"]);
/// # let _ = policy;
/// ```
#[derive(Debug, PartialEq)]
pub struct Policy<R = Background, H = Unlimited> {
    settings: Settings,
    mode: Mode<R, H>,
}

#[derive(Clone, Debug, PartialEq)]
struct Settings {
    /// `None`: the cache's default.
    ttl: Option<Duration>,
    swr: Duration,
    sie: Duration,
    tags: Vec<Box<str>>,
    jitter: f64,
    refresh_ahead: Option<f64>,
    xfetch: f64,
    soft_timeout: Option<Duration>,
    hard_timeout: Option<Duration>,
    negative_ttl: Option<Duration>,
    max_age: Option<Duration>,
    version: u32,
    skip_l1: bool,
    skip_l2: bool,
}

impl Policy {
    /// Fresh for `ttl`, then gone. Zero is an error where the policy is used.
    pub const fn ttl(ttl: Duration) -> Self {
        Self::with(Some(ttl))
    }

    /// Fresh until it is invalidated, marked stale or evicted.
    ///
    /// What concerns the end of a TTL has its use here too: `swr` and `sie` begin when the entry is marked stale;
    /// `jitter`, `refresh_ahead` and `xfetch` count where the loader gives a value a TTL of its own
    /// ([`Loaded::ttl`](crate::Loaded::ttl)), or `negative_ttl` does.
    pub const fn forever() -> Self {
        Self::ttl(Duration::MAX)
    }

    const fn with(ttl: Option<Duration>) -> Self {
        let settings = Settings {
            ttl,
            swr: Duration::ZERO,
            sie: Duration::ZERO,
            tags: Vec::new(),
            jitter: 0.0,
            refresh_ahead: None,
            xfetch: 0.0,
            soft_timeout: None,
            hard_timeout: None,
            negative_ttl: None,
            max_age: None,
            version: 0,
            skip_l1: false,
            skip_l2: false,
        };
        Self { settings, mode: PhantomData }
    }
}

/// The TTL that the cache was built with, five minutes if it was not told one.
impl Default for Policy {
    fn default() -> Self {
        Self::with(None)
    }
}

impl<R, H> Policy<R, H> {
    fn in_mode<S, I>(self) -> Policy<S, I> {
        Policy { settings: self.settings, mode: PhantomData }
    }

    /// Stale-while-revalidate: for so long after the TTL the stale value is served at once, while one load in
    /// the background refreshes it.
    #[must_use]
    pub fn swr(mut self, window: Duration) -> Self {
        self.settings.swr = window;
        self
    }

    /// Stale-if-error: for so long after the TTL the stale value stands in for a load that fails. The load is then
    /// not tried again for 30 seconds, or for this window if it is shorter.
    #[must_use]
    pub fn sie(mut self, window: Duration) -> Self {
        self.settings.sie = window;
        self
    }

    /// The tags to invalidate the entry by. Replaces earlier ones.
    #[must_use]
    pub fn tags<T: AsRef<str>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.settings.tags = tags.into_iter().map(|tag| tag.as_ref().into()).collect();
        self
    }

    /// Shortens the TTL of each fill by a random part of up to `share` of it, so that entries filled together do not
    /// expire together. From 0 to less than 1.
    #[must_use]
    pub fn jitter(mut self, share: f64) -> Self {
        self.settings.jitter = share;
        self
    }

    /// Refreshes in the background once `share` of the TTL is over: what is read often is never waited for again.
    /// More than 0 and less than 1.
    #[must_use]
    pub fn refresh_ahead(mut self, share: f64) -> Self {
        self.settings.refresh_ahead = Some(share);
        self
    }

    /// Refreshes early at random, the likelier the nearer the end of the TTL and the longer the last load took, so that
    /// even without any coordination rarely more than one reader refreshes. `beta` is 1 as a rule; more is earlier.
    ///
    /// Algorithm: Vattani, Chierichetti, Lowenstein, "Optimal probabilistic cache stampede prevention", VLDB 2015.
    /// The cost of a load is measured, and kept with the entry.
    #[must_use]
    pub fn xfetch(mut self, beta: f64) -> Self {
        self.settings.xfetch = beta;
        self
    }

    /// A load that takes longer goes on in the background, and its callers get the stale value, if there is one within
    /// its windows ([`swr`](Policy::swr), [`sie`](Policy::sie)); else they wait on. Within `swr` nobody waits anyway, so it
    /// is for an `sie` that is the longer one.
    ///
    /// One that never comes is an error where the policy is used: one without any window, or one that is not shorter
    /// than the [hard timeout](Policy::hard_timeout).
    #[must_use]
    pub fn soft_timeout(mut self, timeout: Duration) -> Self {
        self.settings.soft_timeout = Some(timeout);
        self
    }

    /// A load that takes longer is given up: its future is dropped, and its callers get the stale value, if one may
    /// stand in for a failed load, or an error made from a [`Timeout`](crate::Timeout). So it works only with loaders
    /// whose error implements `From<Timeout>`, and, as running code cannot be dropped, only with asynchronous ones.
    #[must_use]
    pub fn hard_timeout(mut self, timeout: Duration) -> Policy<R, Limited> {
        self.settings.hard_timeout = Some(timeout);
        self.in_mode()
    }

    /// The TTL of a value that says "there is none": one that serialises as `None`. It has no stale windows.
    /// Without this, `None` is cached like any other value.
    #[must_use]
    pub fn negative_ttl(mut self, ttl: Duration) -> Self {
        self.settings.negative_ttl = Some(ttl);
        self
    }

    /// A read under this policy takes no value that was stored longer ago; it loads instead. Others still may. Zero takes
    /// nothing that is stored: it loads anew, and stores that for all, or joins a load that is under way.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.settings.max_age = Some(age);
        self
    }

    /// The version of what the value means. A load treats a value of another version as missing: raise it when the
    /// same type comes to mean something else. Hits of versioned entries cost a little more.
    ///
    /// Loads alone are told a version to ask for: `get`, `lookup` and `get_many` give what is there, of whatever version.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.settings.version = version;
        self
    }

    /// Where memory stands in front of a remote tier, the entry is not kept in memory: each read asks the remote tier, and
    /// sees at once what any process has written. Over one tier this says nothing.
    #[must_use]
    pub fn skip_l1(mut self) -> Self {
        self.settings.skip_l1 = true;
        self
    }

    /// Where memory stands in front of a remote tier, the entry is kept in memory alone, and no other process sees it. What
    /// an older one left in the remote tier is removed by `set`. Counters are in the remote tier all the same. Over one tier
    /// this says nothing.
    #[must_use]
    pub fn skip_l2(mut self) -> Self {
        self.settings.skip_l2 = true;
        self
    }

    /// The same policy for a loader that borrows: it then runs in its caller, also where a refresh would
    /// otherwise run in the background.
    ///
    /// Without it rustc refuses such a loader: "lifetime may not live long enough ... must outlive `'static`", or
    /// "closure may outlive the current function, but it borrows ...". The other way out is to move owned values into
    /// the loader, which keeps refreshes in the background.
    ///
    /// ```
    /// # use larder::{testing::Plain, Engine, Policy, ttl};
    /// # let cache = Engine::new(Plain::default());
    /// let name = String::from("Ada");
    /// let policy = Policy::ttl(ttl::SHORT).tags(["names"]);
    /// assert_eq!(*cache.get_or_compute("a", policy.clone().in_caller(), || name.len()), 3); // borrows
    /// assert_eq!(*cache.get_or_compute("b", policy, move || name.len()), 3); // owns
    /// ```
    pub fn in_caller(self) -> Policy<InCaller, H> {
        self.in_mode()
    }

    /// The policy of one value, which may have something to say itself.
    pub(crate) fn told(mut self, ttl: Option<Duration>, tags: Option<Vec<Box<str>>>, negative: bool) -> Self {
        let settings = &mut self.settings;
        if let (true, Some(negative_ttl)) = (negative, settings.negative_ttl) {
            (settings.ttl, settings.swr, settings.sie) = (Some(negative_ttl), Duration::ZERO, Duration::ZERO);
        }
        settings.ttl = ttl.or(settings.ttl);
        settings.tags = tags.unwrap_or_else(|| std::mem::take(&mut settings.tags));
        self
    }

    pub(crate) fn into_plain(self) -> Policy {
        self.in_mode()
    }

    /// Without its hard timeout, which its new type would say nothing of.
    pub(crate) fn unlimited(mut self) -> Policy {
        self.settings.hard_timeout = None;
        self.in_mode()
    }

    /// Whether any fresh value will do.
    pub(crate) fn takes_any(&self) -> bool {
        self.settings.max_age.is_none() && self.settings.version == 0
    }

    pub(crate) fn swr_window(&self) -> Duration {
        self.settings.swr
    }

    pub(crate) fn sie_window(&self) -> Duration {
        self.settings.sie
    }

    pub(crate) fn tag_list(&self) -> &[Box<str>] {
        &self.settings.tags
    }

    pub(crate) fn soft_limit(&self) -> Option<Duration> {
        self.settings.soft_timeout
    }

    pub(crate) fn hard_limit(&self) -> Option<Duration> {
        self.settings.hard_timeout
    }

    pub(crate) fn age_limit(&self) -> Option<Duration> {
        self.settings.max_age
    }

    /// What is kept with an entry that was not loaded.
    pub(crate) fn origin(&self) -> Origin {
        let tiers = match (self.settings.skip_l1, self.settings.skip_l2) {
            (false, true) => Tiers::L1,
            (true, false) => Tiers::L2,
            // Both cannot be skipped: see `check`.
            _ => Tiers::Both,
        };
        Origin { version: self.settings.version, tiers, ..Origin::default() }
    }

    pub(crate) fn version_number(&self) -> u32 {
        self.settings.version
    }
}

impl<R, H> Clone for Policy<R, H> {
    fn clone(&self) -> Self {
        Self { settings: self.settings.clone(), mode: PhantomData }
    }
}

impl From<Duration> for Policy {
    fn from(ttl: Duration) -> Self {
        Self::ttl(ttl)
    }
}

impl<H> From<Policy<InCaller, H>> for Policy {
    fn from(policy: Policy<InCaller, H>) -> Self {
        policy.unlimited()
    }
}

impl From<Policy<Background, Limited>> for Policy {
    fn from(policy: Policy<Background, Limited>) -> Self {
        policy.unlimited()
    }
}

impl From<&Policy> for Policy {
    fn from(policy: &Policy) -> Self {
        policy.clone()
    }
}
