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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::deadline::Lifetime;
    use crate::entry::{Origin, Tier};
    use crate::value::Value;

    fn entry(age: u64) -> Entry {
        let left = Lifetime { fresh: Duration::from_secs(60), total: Duration::from_secs(60) };
        // Different bytes each time, as those of a map may be that is read twice.
        let (value, age) = (Value::new(Arc::new(age)), Duration::from_millis(age));
        let (stale_for, glance, origin) = (Duration::ZERO, Duration::MAX, Origin::default());
        Entry { value, left, stale_for, age, glance, tier: Tier::L2, origin, tags: Vec::new() }
    }

    /// Far may count time a little slower, and each rounds it.
    #[test]
    fn what_is_younger_by_no_more_than_clocks_err_is_the_same() {
        for (age, slack) in [(11, 10), (10_000, 20), (3_600_000, 3_610)] {
            let are_twins = |younger: u64| are_twins(&entry(age), Ok(Some(entry(age - younger))));
            assert_eq!((are_twins(slack), are_twins(slack + 1)), (Some(true), Some(false)), "{age} ms");
        }
        assert_eq!(are_twins(&entry(10_000), Ok(Some(entry(20_000)))), Some(true), "older");
    }
}
