//! What an invalidation is aimed at.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::key;
use crate::pattern::Pattern;

/// What to invalidate, or to mark stale.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target<'a> {
    /// One key. A `&str` becomes this.
    Key(&'a str),
    /// Every key that the glob matches; see [`Pattern`].
    Pattern(&'a str),
    /// Every entry that bears the tag.
    Tag(&'a str),
    /// Everything in the cache (in its namespace, if it has one).
    All,
}

/// What can be aimed at: a [`Target`], or a key as text, owned or borrowed.
///
/// ```
/// use larder::{Larder, Target, key};
///
/// let cache = Larder::memory(100);
/// cache.invalidate("user:7").wait()?;
/// cache.invalidate(format!("user:{}", 7)).wait()?;
/// cache.invalidate(key!("user:{}", 7)).wait()?;
/// cache.invalidate(Target::Tag("users")).wait()?;
/// # Ok::<(), larder::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` names nothing to invalidate",
    note = "give a key as `&str`, `String` or `key!(..)`, or a `Target`: `Key`, `Pattern`, `Tag` or `All`"
)]
pub trait AsTarget {
    /// What it aims at.
    fn as_target(&self) -> Target<'_>;
}

impl AsTarget for Target<'_> {
    fn as_target(&self) -> Target<'_> {
        *self
    }
}

impl AsTarget for str {
    fn as_target(&self) -> Target<'_> {
        Target::Key(self)
    }
}

impl AsTarget for String {
    fn as_target(&self) -> Target<'_> {
        Target::Key(self)
    }
}

impl AsTarget for key::Key {
    fn as_target(&self) -> Target<'_> {
        Target::Key(self)
    }
}

impl<A: AsTarget + ?Sized> AsTarget for &A {
    fn as_target(&self) -> Target<'_> {
        (**self).as_target()
    }
}

impl<'a> From<&'a str> for Target<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl<'a> From<&'a String> for Target<'a> {
    fn from(key: &'a String) -> Self {
        Self::Key(key)
    }
}

impl<'a> From<&'a key::Key> for Target<'a> {
    fn from(key: &'a key::Key) -> Self {
        Self::Key(key)
    }
}

impl Target<'_> {
    /// Whether an entry of `key` under `tags` is meant.
    pub(crate) fn covers(&self, key: &str, tags: &[Box<str>]) -> bool {
        match self {
            Self::Key(other) => *other == key,
            Self::Pattern(pattern) => {
                Pattern::new(pattern).is_ok_and(|pattern| pattern.matches(key.as_bytes()))
            }
            Self::Tag(tag) => tags.iter().any(|other| **other == **tag),
            Self::All => true,
        }
    }

    /// Whether the target can be named at all.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Key(key) => key::check(key),
            Self::Pattern(pattern) => Pattern::new(pattern).map(drop),
            Self::Tag(tag) => check_tag(tag),
            Self::All => Ok(()),
        }
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "key {key:?}"),
            Self::Pattern(pattern) => write!(f, "pattern {pattern:?}"),
            Self::Tag(tag) => write!(f, "tag {tag:?}"),
            Self::All => f.write_str("everything"),
        }
    }
}

/// A [`Target`] that owns its text, for whoever has to remember one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Named {
    /// One key.
    Key(Box<str>),
    /// Every key that the glob matches.
    Pattern(Box<str>),
    /// Every entry that bears the tag.
    Tag(Box<str>),
    /// Everything.
    All,
}

impl Named {
    /// The target itself.
    pub fn target(&self) -> Target<'_> {
        match self {
            Self::Key(key) => Target::Key(key),
            Self::Pattern(pattern) => Target::Pattern(pattern),
            Self::Tag(tag) => Target::Tag(tag),
            Self::All => Target::All,
        }
    }
}

impl From<Target<'_>> for Named {
    fn from(target: Target<'_>) -> Self {
        match target {
            Target::Key(key) => Self::Key(key.into()),
            Target::Pattern(pattern) => Self::Pattern(pattern.into()),
            Target::Tag(tag) => Self::Tag(tag.into()),
            Target::All => Self::All,
        }
    }
}

pub(crate) fn check_tag(tag: &str) -> Result<()> {
    key::check(tag).map_err(|_| {
        let rule = "a tag is 1 to 1024 bytes without control characters";
        Error::new(ErrorKind::InvalidTag, format!("tag {tag:?} cannot be used: {rule}"))
    })
}

/// How hard an invalidation hits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Strength {
    /// What was stored or began to load before must never be served again.
    Remove,
    /// It may still be served as stale, under stale-while-revalidate or stale-if-error.
    MarkStale,
}
