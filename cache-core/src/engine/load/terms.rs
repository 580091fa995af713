//! How a load's output becomes a value, and an error that followers can share.

use std::any::Any;
use std::sync::Arc;

use super::Loaded;

/// See the module.
pub(crate) struct Terms<T, O, E> {
    /// The value to cache, or what the caller gets instead.
    pub(crate) split: fn(O) -> Result<Loaded<T>, E>,
    /// How to share `E` with followers; `None`: a few of them at a time try for themselves.
    pub(crate) share: Option<Share<E>>,
    /// The caller holds its thread.
    pub(crate) blocking: bool,
    /// Any fresh value will do, so it can be taken before the policy is even looked at.
    pub(crate) takes_any: bool,
    /// What is there does not count, and neither does a load that runs already.
    pub(crate) anew: bool,
}

impl<T, O, E> Terms<T, O, E> {
    /// Of an asynchronous load whose errors are not shared.
    pub(crate) fn new(split: fn(O) -> Result<Loaded<T>, E>, takes_any: bool) -> Self {
        Self { split, share: None, blocking: false, takes_any, anew: false }
    }
}

impl<T, O, E> Clone for Terms<T, O, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, O, E> Copy for Terms<T, O, E> {}

/// How an error that can be cloned is shared with the followers of a failed leader.
pub struct Share<E> {
    /// A clone, without its type.
    pub pack: fn(&E) -> Arc<dyn Any + Send + Sync>,
    /// A clone of what was packed, if it is an `E`.
    pub unpack: fn(&(dyn Any + Send + Sync)) -> Option<E>,
}

impl<E> Clone for Share<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Share<E> {}

impl<E: Clone + Send + Sync + 'static> Share<E> {
    /// Sharing by `Clone`.
    pub const fn by_clone() -> Self {
        Self { pack: |error| Arc::new(error.clone()), unpack: |any| any.downcast_ref::<E>().cloned() }
    }
}
