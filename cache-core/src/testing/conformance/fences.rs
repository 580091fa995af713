//! Fences: what was invalidated while it was being loaded is never stored.

use std::sync::Arc;

use super::{MS, Subject, fresh_for, ok, sentences, stale_after, tags, text};
use crate::deadline::Lifetime;
use crate::entry::{Set, Stored};
use crate::fence::Fence;
use crate::target::{Strength, Target};
use crate::value::Value;

sentences! {
    a_fence_that_holds_publishes
    whatever_changes_the_key_voids_its_fences
    adding_to_a_counter_voids_its_fences
    what_changes_other_keys_does_not
    a_fence_taken_afterwards_holds
    marks_outlive_the_loads_they_cover
    marking_stale_lets_a_load_publish_stale_values_only
    a_fence_publishes_once
    a_newer_load_is_not_overwritten_by_an_older_one
    a_released_fence_is_void
    a_refused_load_leaves_what_is_there
    a_late_tag_is_fenced_beside_others
    a_load_marked_stale_and_then_struck_is_refused
    releasing_what_is_unknown_harms_nobody
}

const KEY: &str = "fence:k:1";

fn fence(s: &Subject<'_>) -> Fence {
    ok(s.cache.fence(KEY))
}

fn publish(s: &Subject<'_>, fence: Fence, value: &str) -> Stored {
    let tags = tags(&["fence-a"]);
    let set = Set { tags: &tags, fence: Some(fence), ..Set::new(stale_after(60_000, 120_000)) };
    ok(s.cache.set(KEY, text(value), set))
}

type Change = (&'static str, fn(&Subject<'_>));

/// All that voids the fences of `KEY`; the tag is named only by what is published.
const CHANGES: [Change; 7] = [
    ("set", |s| s.store(KEY, "newer", fresh_for(60_000), &[])),
    ("delete", |s| {
        let _ = ok(s.cache.delete(KEY));
    }),
    ("incr", |s| {
        let set = Set::new(Lifetime::FOREVER);
        ok(s.cache.set(KEY, Value::new(Arc::new(0_i64)), set));
        ok(s.cache.incr(KEY, 1, Lifetime::FOREVER));
    }),
    ("invalidate key", |s| ok(s.cache.invalidate(Target::Key(KEY), Strength::Remove))),
    ("invalidate pattern", |s| ok(s.cache.invalidate(Target::Pattern("fence:*:1"), Strength::Remove))),
    ("invalidate tag", |s| ok(s.cache.invalidate(Target::Tag("fence-a"), Strength::Remove))),
    ("clear", |s| ok(s.cache.invalidate(Target::All, Strength::Remove))),
];

fn a_fence_that_holds_publishes(s: &Subject<'_>) {
    ok(s.cache.delete(KEY));
    let held = fence(s);
    assert_eq!(publish(s, held, "value"), Stored::Yes, "nothing happened meanwhile");
    s.cache.release(KEY, held);
    assert_eq!(s.fresh(KEY).as_deref(), Some("value"), "what was published");
}

fn whatever_changes_the_key_voids_its_fences(s: &Subject<'_>) {
    for (name, change) in CHANGES {
        for there_before in [false, true] {
            ok(s.cache.delete(KEY));
            if there_before {
                s.store(KEY, "before", stale_after(60_000, 120_000), &tags(&["fence-a"]));
            }
            let held = fence(s);
            change(s);
            assert_eq!(publish(s, held, "too late"), Stored::Fenced, "{name}, there before: {there_before}");
            s.cache.release(KEY, held);
            let kind = crate::Kind::of::<String>();
            let left = ok(s.cache.get(KEY, kind)).and_then(|entry| entry.value.downcast::<String>().ok());
            assert!(left.is_none_or(|left| *left == "newer"), "{name}, there before: {there_before}");
        }
    }
}

/// Also one that has just begun: the load knows nothing of it.
fn adding_to_a_counter_voids_its_fences(s: &Subject<'_>) {
    for there_before in [false, true] {
        ok(s.cache.delete(KEY));
        if there_before {
            ok(s.cache.incr(KEY, 41, Lifetime::FOREVER));
        }
        let held = fence(s);
        let sum = ok(s.cache.incr(KEY, 1, Lifetime::FOREVER));
        assert_eq!(publish(s, held, "too late"), Stored::Fenced, "there before: {there_before}");
        s.cache.release(KEY, held);
        let count = ok(s.cache.incr(KEY, 0, Lifetime::FOREVER));
        assert_eq!(count, sum, "the counter is as it was, there before: {there_before}");
    }
    ok(s.cache.delete(KEY));
}

fn what_changes_other_keys_does_not(s: &Subject<'_>) {
    ok(s.cache.delete(KEY));
    let held = fence(s);
    s.store("fence:k:2", "other", fresh_for(60_000), &tags(&["fence-b"]));
    ok(s.cache.delete("fence:k:2"));
    ok(s.cache.invalidate(Target::Key("fence:k:2"), Strength::Remove));
    ok(s.cache.invalidate(Target::Pattern("fence:*:2"), Strength::Remove));
    ok(s.cache.invalidate(Target::Tag("fence-b"), Strength::Remove));
    assert_eq!(publish(s, held, "value"), Stored::Yes, "nothing that covers the key happened");
    s.cache.release(KEY, held);
}

fn a_fence_taken_afterwards_holds(s: &Subject<'_>) {
    for (name, change) in CHANGES {
        let early = fence(s);
        change(s);
        let held = fence(s);
        assert_eq!(publish(s, early, "too late"), Stored::Fenced, "{name}");
        assert_eq!(publish(s, held, "value"), Stored::Yes, "{name}");
        s.cache.release(KEY, early);
        s.cache.release(KEY, held);
        assert_eq!(s.fresh(KEY).as_deref(), Some("value"), "{name}");
    }
}

fn marks_outlive_the_loads_they_cover(s: &Subject<'_>) {
    for (name, change) in &CHANGES[3..] {
        ok(s.cache.delete(KEY));
        let held = fence(s);
        change(s);
        for _ in 0..5 {
            // Time for whatever tidies up.
            (s.advance)(MS * 1_000);
        }
        assert_eq!(publish(s, held, "too late"), Stored::Fenced, "{name}");
        s.cache.release(KEY, held);
    }
}

fn marking_stale_lets_a_load_publish_stale_values_only(s: &Subject<'_>) {
    for target in [Target::Key(KEY), Target::Pattern("fence:*:1"), Target::Tag("fence-a"), Target::All] {
        ok(s.cache.delete(KEY));
        let held = fence(s);
        ok(s.cache.invalidate(target, Strength::MarkStale));
        let _ = publish(s, held, "value");
        s.cache.release(KEY, held);
        assert!(s.stale(KEY).is_none_or(|value| value == "value"), "{target:?}");
    }
}

fn a_fence_publishes_once(s: &Subject<'_>) {
    ok(s.cache.delete(KEY));
    let held = fence(s);
    assert_eq!(publish(s, held, "value"), Stored::Yes, "the first time");
    assert_eq!(publish(s, held, "again"), Stored::Fenced, "the second time");
    s.cache.release(KEY, held);
    assert_eq!(s.fresh(KEY).as_deref(), Some("value"), "what was published first");
}

fn a_newer_load_is_not_overwritten_by_an_older_one(s: &Subject<'_>) {
    ok(s.cache.delete(KEY));
    let (older, newer) = (fence(s), fence(s));
    assert_eq!(publish(s, newer, "newer"), Stored::Yes, "nothing that covers the key happened");
    assert_eq!(publish(s, older, "older"), Stored::Fenced, "a load that began later has published");
    s.cache.release(KEY, older);
    s.cache.release(KEY, newer);
    assert_eq!(s.fresh(KEY).as_deref(), Some("newer"), "the value of the load that began later");
}

fn a_released_fence_is_void(s: &Subject<'_>) {
    ok(s.cache.delete(KEY));
    let held = fence(s);
    s.cache.release(KEY, held);
    ok(s.cache.delete(KEY));
    assert_eq!(publish(s, held, "too late"), Stored::Fenced, "its key was changed, or its load was over");
}

fn a_refused_load_leaves_what_is_there(s: &Subject<'_>) {
    let held = fence(s);
    s.store(KEY, "newer", fresh_for(60_000), &[]);
    assert_eq!(publish(s, held, "too late"), Stored::Fenced, "its key was changed, or its load was over");
    s.cache.release(KEY, held);
    assert_eq!(s.fresh(KEY).as_deref(), Some("newer"), "what was there stays");
}

/// Each of several tags that are named only with the value counts.
fn a_late_tag_is_fenced_beside_others(s: &Subject<'_>) {
    for struck in ["fence-1", "fence-2", "fence-3"] {
        ok(s.cache.delete(KEY));
        let held = fence(s);
        ok(s.cache.invalidate(Target::Tag(struck), Strength::Remove));
        let late = tags(&["fence-1", "fence-2", "fence-3"]);
        let set = Set { tags: &late, fence: Some(held), ..Set::new(fresh_for(60_000)) };
        assert_eq!(ok(s.cache.set(KEY, text("too late"), set)), Stored::Fenced, "{struck}");
        s.cache.release(KEY, held);
        assert!(s.get(KEY).is_none(), "{struck}");
    }
}

fn a_load_marked_stale_and_then_struck_is_refused(s: &Subject<'_>) {
    for (first, then) in [(Strength::MarkStale, Strength::Remove), (Strength::Remove, Strength::MarkStale)] {
        for target in [Target::Key(KEY), Target::Pattern("fence:*:1"), Target::Tag("fence-a"), Target::All] {
            ok(s.cache.delete(KEY));
            let held = fence(s);
            ok(s.cache.invalidate(target, first));
            ok(s.cache.invalidate(target, then));
            assert_eq!(publish(s, held, "too late"), Stored::Fenced, "{target:?}, {first:?} first");
            s.cache.release(KEY, held);
        }
    }
}

fn releasing_what_is_unknown_harms_nobody(s: &Subject<'_>) {
    ok(s.cache.delete(KEY));
    let held = fence(s);
    let other = ok(s.cache.fence("fence:k:2"));
    s.cache.release("fence:k:2", other);
    s.cache.release("fence:k:2", other);
    s.cache.release("fence:nobody", Fence { incarnation: 77, sequence: 1 << 40, lease: 1 << 40 });
    assert_eq!(publish(s, held, "value"), Stored::Yes, "nothing that covers the key happened");
    s.cache.release(KEY, held);
}
