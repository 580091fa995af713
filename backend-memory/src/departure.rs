//! What has left the store: collected under a shard's lock, reported and dropped when it is free, for a listener
//! and a value's `Drop` are the user's code.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use cache_core::Value;

use crate::budget::Room;
use crate::shard::Name;

/// Why an entry left.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RemovalCause {
    /// It gave way to others: the store was full.
    Capacity,
    /// Its time was over.
    Expired,
    /// Another value was stored under its key.
    Replaced,
    /// Its key was deleted.
    Deleted,
    /// It was invalidated, by its key, a pattern, a tag, or with everything.
    Invalidated,
}

/// See [`MemoryBuilder::eviction_listener`](crate::MemoryBuilder::eviction_listener).
pub(crate) type Listener = Box<dyn Fn(&str, &Value, RemovalCause) + Send + Sync>;

pub(crate) struct Left {
    /// Only where somebody listens, if it takes an effort to have it.
    pub(crate) name: Option<Name>,
    pub(crate) value: Value,
    pub(crate) cause: RemovalCause,
}

/// See the module. Most operations throw out one entry at most, which takes no allocation.
pub(crate) struct Departed {
    first: Option<Left>,
    more: Vec<Left>,
    /// The room that they have left, and that nobody has taken.
    pub(crate) room: Room,
    /// Whether somebody wants to know their names.
    pub(crate) named: bool,
}

impl Departed {
    pub(crate) fn new(named: bool) -> Self {
        Self { first: None, more: Vec::new(), room: Room::default(), named }
    }

    pub(crate) fn push(&mut self, left: Option<Left>) {
        match self.first {
            None => self.first = left,
            Some(_) => self.more.extend(left),
        }
    }

    /// See [`tell_and_drop`].
    #[inline]
    pub(crate) fn tell(self, listener: Option<&Listener>) {
        // Nothing or one is the rule, and needs no care.
        if !self.more.is_empty() {
            return tell_and_drop(self.first.into_iter().chain(self.more), listener);
        }
        if let (Some(left), Some(listener)) = (&self.first, listener) {
            left.tell(listener);
        }
    }
}

/// Tells the listener of each and drops it. No lock may be held. Where a `Drop` panics, so does this, once it is done
/// with all of them: two panics at once would end the process.
pub(crate) fn tell_and_drop(left: impl Iterator<Item = Left>, listener: Option<&Listener>) {
    let mut trouble = None;
    for left in left {
        if let Some(listener) = listener {
            left.tell(listener);
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(left))) {
            trouble.get_or_insert(panic);
        }
    }
    if let Some(panic) = trouble {
        resume_unwind(panic);
    }
}

impl Left {
    fn tell(&self, listener: &Listener) {
        let key = self.name.as_ref().and_then(|name| str::from_utf8(name.as_bytes()).ok());
        // Keys come as `str`. What panics is the listener's own trouble.
        let _ = catch_unwind(AssertUnwindSafe(|| listener(key.unwrap_or_default(), &self.value, self.cause)));
    }
}
