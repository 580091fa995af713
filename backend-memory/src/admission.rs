//! Whether a value may be stored: what its fence and the marks say of it. The same for every store of this crate.

use cache_core::{Deadlines, Set, Time, Value};

use crate::marks::{self, Marks, Verdict};
use crate::shard::{Fences, Held, Stored};

/// A store has one life.
pub(crate) const INCARNATION: u64 = 1;

/// What `options` come to for a value of `key` (by hash, and by name) stored now, or the value back: its fence no
/// longer holds. Under the lock that `fences` come under, which must be kept until the entry stands in its place.
#[inline]
pub(crate) fn admit(
    marks: &Marks,
    fences: &mut Fences,
    (hash, key, now): (u64, &str, Time),
    value: Value,
    options: &Set<'_>,
) -> Result<Stored, Value> {
    let Some(fence) = options.fence else { return Ok(unfenced(marks, fences, (hash, now), value, options)) };
    let tags = marks.tags(options.tags);
    let mut deadlines = Deadlines::new(now, options.lifetime);
    let born = fence.sequence;
    if fence.incarnation != INCARNATION || !marks.remembers(born) {
        return Err(value);
    }
    let checked = fences.publish((hash, fence.lease), |held| {
        let (patterns, checked) = marks.examine(key.as_bytes(), born);
        let verdict = patterns.and(marks::tagged(&tags, born));
        if verdict == Verdict::Stale || held == Held::StaleOnly {
            deadlines.fresh_until = now;
        }
        (verdict != Verdict::Gone && deadlines.at(now).is_some()).then_some(checked)
    });
    let Some(checked) = checked else { return Err(value) };
    let (glance_until, origin) = (now + options.glance, options.origin);
    Ok(Stored { value, deadlines, glance_until, at: now, born, checked, tags, origin })
}

/// The same without a fence: it is stored in any case, and voids the fences of the loads in flight.
#[inline]
pub(crate) fn unfenced(
    marks: &Marks,
    fences: &mut Fences,
    (hash, now): (u64, Time),
    value: Value,
    options: &Set<'_>,
) -> Stored {
    fences.void(hash);
    Stored {
        value,
        deadlines: Deadlines::new(now, options.lifetime),
        glance_until: now + options.glance,
        at: now,
        born: marks.now(),
        checked: marks.latest(),
        tags: marks.tags(options.tags),
        origin: options.origin,
    }
}
