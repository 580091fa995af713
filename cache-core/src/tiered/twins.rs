//! Whether a copy is of what the store has now.

use std::time::Duration;

use crate::deadline::Freshness;
use crate::entry::Entry;
use crate::error::{ErrorKind, Result};

/// Whether `copy`, which is fresh, was made of what was `found` after it was looked at; `None` where that cannot be said.
///
/// An entry grows older by the same time in both stores, so what is younger than the copy was written later than what the
/// copy was made of. If a clock was set meanwhile that may seem so: then the values tell.
pub(super) fn are_twins(copy: &Entry, found: Result<Option<Entry>>) -> Option<bool> {
    match found {
        Ok(Some(entry)) if entry.freshness() == Freshness::Stale => Some(false),
        Ok(Some(entry)) => Some(!is_younger(&entry, copy) || are_equal(&entry, copy)),
        Ok(None) => Some(false),
        Err(error) => (error.kind() == ErrorKind::TypeMismatch).then_some(false),
    }
}

/// By more than roundings, and two clocks that do not go alike.
fn is_younger(entry: &Entry, copy: &Entry) -> bool {
    let slack = Duration::from_millis(10) + copy.age / 1000;
    entry.age.saturating_add(slack) < copy.age
}

/// Whether both are of the same bytes, where they can be written as such.
#[cfg(feature = "postcard")]
fn are_equal(entry: &Entry, copy: &Entry) -> bool {
    use crate::entry::Origin;
    use crate::wire::{Format, Header, Order, encode};

    let bytes = |of: &Entry| {
        let origin = Origin { version: of.origin.version, ..Origin::default() };
        let header = Header { order: Order::default(), lifetime: copy.left, origin, tags: &[] };
        encode(&of.value, &header, &Format::default()).ok()
    };
    bytes(entry).zip(bytes(copy)).is_some_and(|(entry, copy)| entry == copy)
}

#[cfg(not(feature = "postcard"))]
fn are_equal(_: &Entry, _: &Entry) -> bool {
    false
}
