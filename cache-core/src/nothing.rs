//! The backend of a cache that is switched off.

use std::sync::Weak;
use std::time::Duration;

use crate::cache::Cache;
use crate::deadline::Lifetime;
use crate::entry::{Entry, Set, Stored, Usage};
use crate::fence::Fence;
use crate::listener::{Listener, Notices};
use crate::reply::Reply;
use crate::target::{Strength, Target};
use crate::value::{Kind, Value};

/// A backend that holds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Cache for Nothing {
    fn get(&self, _: &str, _: &'static Kind) -> Reply<'_, Option<Entry>> {
        Reply::ready(None)
    }

    fn ttl(&self, _: &str) -> Reply<'_, Option<Lifetime>> {
        Reply::ready(None)
    }

    fn set(&self, _: &str, _: Value, _: Set<'_>) -> Reply<'_, Stored> {
        Reply::ready(Stored::Yes)
    }

    fn delete(&self, _: &str) -> Reply<'_, bool> {
        Reply::ready(false)
    }

    fn invalidate(&self, _: Target<'_>, _: Strength) -> Reply<'_, ()> {
        Reply::ready(())
    }

    fn expire(&self, _: &str, _: Duration) -> Reply<'_, bool> {
        Reply::ready(false)
    }

    fn incr(&self, _: &str, delta: i64, _: Lifetime) -> Reply<'_, i64> {
        Reply::ready(delta)
    }

    fn fence(&self, _: &str) -> Reply<'_, Fence> {
        Reply::ready(Fence { incarnation: 0, sequence: 0, lease: 0 })
    }

    fn listen(&self, _: Weak<dyn Listener>) -> Notices {
        Notices::Needless
    }

    fn usage(&self) -> Usage {
        Usage::default()
    }
}
