//! One change of a cache, kept until it may be made.

use std::sync::Arc;

use super::scope;
use super::update::{Update, on_behalf_of};
use crate::engine::Engine;
use crate::engine::many::each;
use crate::error::{Error, Result};
use crate::policy::Policy;
use crate::reply::Reply;
use crate::target::{Named, Strength, Target};
use crate::value::Value;

/// See the module.
pub(super) enum Change {
    /// An invalidation.
    Strike { engine: Engine, target: Named, strength: Strength },
    /// A value that a function has written and returned.
    Store(Box<Store>),
}

/// See [`Change::Store`].
pub(super) struct Store {
    pub(super) update: Update,
    pub(super) key: Box<str>,
    pub(super) value: Value,
    pub(super) policy: Policy,
}

impl Change {
    pub(super) fn forget(engine: &Engine, target: Target<'_>) -> Self {
        Self::Strike { engine: engine.clone(), target: target.into(), strength: Strength::Remove }
    }

    pub(super) fn engine(&self) -> &Engine {
        match self {
            Self::Strike { engine, .. } => engine,
            Self::Store(store) => store.update.engine(),
        }
    }

    /// Whether it makes the same as `other` once more.
    pub(super) fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Strike { engine, target, strength },
                Self::Strike { engine: of, target: at, strength: by },
            ) => Arc::ptr_eq(&engine.shared, &of.shared) && target == at && strength == by,
            _ => false,
        }
    }

    /// Makes the change: it is under way when this returns.
    fn deliver(&self) -> Reply<'_, ()> {
        match self {
            Self::Strike { engine, target, strength } => engine.strike(target.target(), *strength),
            Self::Store(store) => store.deliver(),
        }
    }
}

impl Store {
    fn deliver(&self) -> Reply<'_, ()> {
        let Self { update, key, value, policy } = self;
        let engine = update.engine();
        let overtaken = || update.is_overtaken(key, policy.tag_list());
        // Inside the scope of another transaction, this one may be a part of it, and its value not be for others yet.
        if scope::is_entered() || overtaken() {
            return engine.invalidate(&**key);
        }
        let stored = engine.store(key, value.clone(), policy, false);
        if overtaken() {
            drop(stored);
            return engine.invalidate(&**key);
        }
        // What was there before is older than what could not be stored.
        match stored {
            Reply::Ready(Err(error)) => forgotten(engine.invalidate(&**key), error),
            Reply::Pending(stored) => Reply::Pending(Box::pin(async move {
                match stored.await {
                    Ok(_) => Ok(()),
                    Err(error) => forgotten(engine.invalidate(&**key), error).await,
                }
            })),
            stored => stored.map(drop),
        }
    }
}

/// The first error, once the second best is done.
fn forgotten(reply: Reply<'_, ()>, error: Error) -> Reply<'_, ()> {
    match reply.answer() {
        Reply::Pending(reply) => Reply::Pending(Box::pin(async move {
            drop(reply.await);
            Err(error)
        })),
        _ => Reply::error(error),
    }
}

/// Makes the changes of `group` in their order, each under way when this returns, and says what became of each.
pub(super) fn deliver(group: u64, changes: &[Change]) -> Reply<'_, Vec<Result<()>>> {
    each(on_behalf_of(group, || changes.iter().map(Change::deliver).collect()))
}
