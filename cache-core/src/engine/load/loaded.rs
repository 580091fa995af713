//! What a loader is given, and what it may answer.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::policy::{Policy, check_ttl};
use crate::target::check_tag;
use crate::value::Value;

/// What a load brought, and how it is to be kept.
///
/// ```
/// use larder::Loaded;
/// use std::time::Duration;
///
/// let token = Loaded::<String>::new("secret".to_owned()).ttl(Duration::from_secs(90)).tags(["tokens"]);
/// let not_now = Loaded::<String>::skip("a guess".to_owned()); // for its callers, but not for the cache
/// # let _ = (token, not_now);
/// ```
pub struct Loaded<T> {
    pub(crate) value: Arc<T>,
    pub(crate) kept: Kept,
}

/// How a value is to be kept, where it says so itself.
pub(crate) struct Kept {
    pub(crate) ttl: Option<Duration>,
    pub(crate) tags: Option<Vec<Box<str>>>,
    /// Beside those, or beside the policy's.
    pub(crate) more_tags: Vec<Box<str>>,
    /// It says that there is none, though it cannot be serialised as `None`.
    pub(crate) negative: bool,
    pub(crate) stored: bool,
}

impl<T> Loaded<T> {
    /// A value, kept as the policy says unless told otherwise. One that is an `Arc` already: `Loaded::from`.
    pub fn new(value: T) -> Self {
        Arc::new(value).into()
    }

    /// A value for the callers of this load, and not for the cache.
    pub fn skip(value: T) -> Self {
        let mut loaded = Self::new(value);
        loaded.kept.stored = false;
        loaded
    }

    /// A value that says "there is none", and is kept for the policy's negative TTL.
    #[doc(hidden)]
    #[must_use]
    pub fn negative(mut self, negative: bool) -> Self {
        self.kept.negative = negative;
        self
    }

    /// The TTL of this value, in place of the policy's.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.kept.ttl = Some(ttl);
        self
    }

    /// The tags of this value, in place of the policy's.
    #[must_use]
    pub fn tags<S: AsRef<str>>(mut self, tags: impl IntoIterator<Item = S>) -> Self {
        self.kept.tags = Some(tags.into_iter().map(|tag| tag.as_ref().into()).collect());
        self
    }
}

impl Kept {
    /// Whether the negative TTL is for this value.
    pub(in crate::engine) fn is_negative(&self, value: &Value) -> bool {
        self.ttl.is_none() && (self.negative || value.is_none())
    }

    /// With all its tags in one place, where it has some of its own.
    pub(in crate::engine) fn under(mut self, policy: &Policy) -> Self {
        if !self.more_tags.is_empty() {
            let tags = self.tags.get_or_insert_with(|| policy.tag_list().to_vec());
            tags.append(&mut self.more_tags);
        }
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        self.ttl.map_or(Ok(()), check_ttl)?;
        self.tags.iter().flatten().try_for_each(|tag| check_tag(tag))
    }
}

impl<T> From<Arc<T>> for Loaded<T> {
    fn from(value: Arc<T>) -> Self {
        let kept = Kept { ttl: None, tags: None, more_tags: Vec::new(), negative: false, stored: true };
        Self { value, kept }
    }
}

/// What a loader is told: the key, and the stale value that it may have in its hand.
pub struct Load<T> {
    pub(super) key: Box<str>,
    pub(super) stale: Option<Previous<T>>,
}

impl<T> Load<T> {
    /// The key that is being loaded.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The value that is there but stale (or, when it is refreshed early, not for much longer fresh).
    pub fn stale(&self) -> Option<&Previous<T>> {
        self.stale.as_ref()
    }
}

/// The value that a load is to replace. Dereferences to it.
pub struct Previous<T> {
    pub(super) value: Arc<T>,
    pub(super) age: Duration,
    pub(super) tags: Vec<Box<str>>,
}

impl<T> Previous<T> {
    /// The time since it was stored.
    pub fn age(&self) -> Duration {
        self.age
    }

    /// The answer that it still holds: it is stored again as if it had been loaded now, under the tags that it bears.
    pub fn not_modified(&self) -> Loaded<T> {
        Loaded::from(self.value.clone()).tags(&self.tags)
    }
}

impl<T> Deref for Previous<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Clone for Previous<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), age: self.age, tags: self.tags.clone() }
    }
}
