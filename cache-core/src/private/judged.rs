//! What a function's attribute says of a result only when it is there: `ttl = |user| ..`, `when = |user| ..`, and tags
//! that speak of `ret`.

use std::time::Duration;

use crate::engine::Loaded;
use crate::policy::{Limited, Limits};
use crate::timeout::Timeout;

/// What a function returned, and how to keep it.
pub struct Judged<R> {
    /// What it returned.
    pub returned: R,
    /// How to keep the value in it; nothing is asked where there is none.
    pub keep: Keep,
}

/// How to keep one value, beside what the policy says of all.
#[derive(Default)]
pub struct Keep {
    ttl: Option<Duration>,
    tags: Vec<Box<str>>,
    skip: bool,
}

impl Keep {
    /// As the policy says.
    pub fn new() -> Self {
        Self::default()
    }

    /// For so long; a TTL of zero is not worth storing it.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.skip |= ttl.is_zero();
        self.ttl = Some(ttl);
        self
    }

    /// Under one more tag.
    #[must_use]
    pub fn tag(mut self, tag: impl AsRef<str>) -> Self {
        self.tags.push(tag.as_ref().into());
        self
    }

    /// Only if `kept`.
    #[must_use]
    pub fn when(mut self, kept: bool) -> Self {
        self.skip |= !kept;
        self
    }

    /// Says so to the cache.
    pub fn of<T>(self, mut loaded: Loaded<T>) -> Loaded<T> {
        if self.skip {
            loaded.kept.stored = false;
        } else {
            (loaded.kept.ttl, loaded.kept.more_tags) = (self.ttl, self.tags);
        }
        loaded
    }
}

#[diagnostic::do_not_recommend]
impl<R> Limits<Judged<R>> for Limited
where
    Limited: Limits<R>,
{
    fn timed_out(timeout: Timeout) -> Option<Judged<R>> {
        let returned = <Limited as Limits<R>>::timed_out(timeout)?;
        Some(Judged { returned, keep: Keep::new() })
    }
}
