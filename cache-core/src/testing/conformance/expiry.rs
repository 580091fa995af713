//! Deadlines.

use std::time::Duration;

use super::{MS, Subject, fresh_for, ok, sentences, stale_after};
use crate::deadline::Lifetime;
use crate::target::{Strength, Target};

sentences! {
    fresh_then_stale_then_gone
    a_new_value_has_its_own_deadline
    deadlines_are_to_the_millisecond
    nothing_overflows
    ttl_tells_what_is_left
    expire_lengthens_and_shortens
    expire_never_makes_a_stale_entry_fresh
    a_deadline_is_kept_to_the_millisecond
    expire_does_not_bring_back_what_is_gone_or_marked
    an_expired_entry_is_no_counter_and_no_obstacle
}

fn fresh_then_stale_then_gone(s: &Subject<'_>) {
    s.store("expiry:phases", "value", stale_after(200, 400), &[]);
    assert_eq!(s.fresh("expiry:phases").as_deref(), Some("value"), "before its TTL ends");
    (s.advance)(MS * 210);
    assert_eq!(s.stale("expiry:phases").as_deref(), Some("value"), "10 ms after its TTL of 200");
    let entry = s.get("expiry:phases").expect("stale");
    assert!(entry.stale_for >= MS * 10 && entry.left.total <= MS * 190, "{entry:?}");
    (s.advance)(MS * 200);
    assert!(s.get("expiry:phases").is_none(), "`get` gives what has expired");
    assert!(s.cache.fresh("expiry:phases").is_none(), "`fresh` gives what has expired");
    assert!(ok(s.cache.ttl("expiry:phases")).is_none(), "`ttl` of what has expired");
}

/// Moka's `Expiry` kept the old deadline on overwriting.
fn a_new_value_has_its_own_deadline(s: &Subject<'_>) {
    s.store("expiry:longer", "one", fresh_for(100), &[]);
    s.store("expiry:longer", "two", fresh_for(60_000), &[]);
    s.store("expiry:shorter", "one", fresh_for(60_000), &[]);
    s.store("expiry:shorter", "two", fresh_for(100), &[]);
    (s.advance)(MS * 110);
    assert_eq!(s.fresh("expiry:longer").as_deref(), Some("two"), "the old deadline of 100 ms ended it");
    assert!(s.get("expiry:shorter").is_none(), "the old deadline of 60 s kept it");
}

fn deadlines_are_to_the_millisecond(s: &Subject<'_>) {
    s.store("expiry:short", "value", fresh_for(30), &[]);
    s.store("expiry:tiny", "value", fresh_for(1), &[]);
    (s.advance)(MS * 35);
    assert!(s.get("expiry:tiny").is_none(), "a TTL of 1 ms, 35 ms ago");
    assert!(s.get("expiry:short").is_none(), "a TTL of 30 ms, 35 ms ago");
}

fn nothing_overflows(s: &Subject<'_>) {
    for (key, fresh, total) in [
        ("expiry:max", Duration::MAX, Duration::MAX),
        ("expiry:century", Duration::from_secs(3_200_000_000), Duration::from_secs(3_200_000_000)),
        ("expiry:swr", Duration::from_secs(60), Duration::MAX),
    ] {
        s.store(key, "value", Lifetime { fresh, total }, &[]);
        assert_eq!(s.fresh(key).as_deref(), Some("value"), "{key}: fresh for {fresh:?}");
        let left = ok(s.cache.ttl(key)).expect("there");
        assert!(
            left.fresh.saturating_add(MS * 10_000) >= fresh.min(Duration::from_secs(1 << 31)),
            "{key}: {left:?}"
        );
    }
    let left = ok(s.cache.ttl("expiry:max")).expect("there").fresh;
    assert_eq!(left, Duration::MAX, "what has no end has none");
}

fn ttl_tells_what_is_left(s: &Subject<'_>) {
    s.store("expiry:ttl", "value", stale_after(60_000, 90_000), &[]);
    (s.advance)(MS * 1_000);
    let left = ok(s.cache.ttl("expiry:ttl")).expect("there");
    assert!((MS * 54_000..=MS * 59_000).contains(&left.fresh), "{left:?}");
    assert!((MS * 84_000..=MS * 89_000).contains(&left.total), "{left:?}");
}

fn expire_lengthens_and_shortens(s: &Subject<'_>) {
    s.store("expiry:expire", "value", stale_after(100, 200), &[]);
    assert!(ok(s.cache.expire("expiry:expire", MS * 60_000)), "it is fresh");
    (s.advance)(MS * 300);
    assert_eq!(s.fresh("expiry:expire").as_deref(), Some("value"), "its TTL is a minute now");
    assert!(ok(s.cache.expire("expiry:expire", MS * 100)), "it is fresh");
    (s.advance)(MS * 110);
    assert_eq!(s.stale("expiry:expire").as_deref(), Some("value"), "its stale window goes with it");
    (s.advance)(MS * 100);
    assert!(s.get("expiry:expire").is_none(), "its stale window of 100 ms is over, too");
}

fn expire_never_makes_a_stale_entry_fresh(s: &Subject<'_>) {
    s.store("expiry:revive", "value", stale_after(50, 60_000), &[]);
    (s.advance)(MS * 60);
    assert!(!ok(s.cache.expire("expiry:revive", MS * 60_000)), "`expire` says that it found something fresh");
    assert_eq!(s.stale("expiry:revive").as_deref(), Some("value"), "it stays, stale");
}

/// Needs a clock that is turned by hand: one that runs by itself only makes what is left shorter.
fn a_deadline_is_kept_to_the_millisecond(s: &Subject<'_>) {
    s.store("expiry:exact", "value", stale_after(1_000, 2_000), &[]);
    let left = ok(s.cache.ttl("expiry:exact")).expect("there");
    assert!(left.fresh <= MS * 1_000 && left.total <= MS * 2_000, "no more than it was given: {left:?}");
    (s.advance)(MS * 1_000);
    assert!(s.stale("expiry:exact").is_some(), "it is stale from the end of its TTL on");
    (s.advance)(MS * 1_000);
    assert!(s.get("expiry:exact").is_none(), "it is gone from the end of its stale window on");
    assert!(!ok(s.cache.delete("expiry:exact")), "and not there to be deleted");
}

fn expire_does_not_bring_back_what_is_gone_or_marked(s: &Subject<'_>) {
    s.store("expiry:gone", "value", fresh_for(50), &[]);
    (s.advance)(MS * 60);
    assert!(!ok(s.cache.expire("expiry:gone", MS * 60_000)), "`expire` of what has expired");
    assert!(s.get("expiry:gone").is_none(), "`expire` brought back what had expired");
    s.store("expiry:marked", "value", stale_after(60_000, 120_000), &[]);
    ok(s.cache.invalidate(Target::Key("expiry:marked"), Strength::MarkStale));
    assert!(!ok(s.cache.expire("expiry:marked", MS * 60_000)), "`expire` of what was marked stale");
    assert_eq!(s.stale("expiry:marked").as_deref(), Some("value"), "it stays, stale");
}

fn an_expired_entry_is_no_counter_and_no_obstacle(s: &Subject<'_>) {
    s.store("expiry:obstacle", "text", stale_after(50, 100), &[]);
    (s.advance)(MS * 110);
    assert_eq!(ok(s.cache.incr("expiry:obstacle", 3, fresh_for(60_000))), 3, "it begins at zero");
}
