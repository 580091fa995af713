//! Storing, reading, deleting.

use std::time::Duration;

use super::{MS, Subject, fresh_for, in_threads, ok, sentences, stale_after, tags, text};
use crate::deadline::Lifetime;
use crate::entry::{Origin, Set, Stored};
use crate::target::{Strength, Target};
use crate::value::Kind;

sentences! {
    what_is_set_is_read
    what_is_not_there_is_not_read
    keys_are_compared_byte_for_byte
    delete_says_whether_something_went
    if_absent_stores_only_where_nothing_is_fresh
    if_absent_stores_for_one_caller_alone
    usage_tells_what_is_held
    an_origin_comes_back_as_it_was_stored
    tags_come_back_as_they_were_stored
    a_glance_ends_when_it_was_told_to
    an_entry_tells_its_age
    a_value_of_another_kind_is_not_taken_for_this_one
    an_operation_is_done_though_its_reply_is_dropped
}

fn what_is_set_is_read(s: &Subject<'_>) {
    s.store("storing:set", "one", fresh_for(60_000), &[]);
    assert_eq!(s.fresh("storing:set").as_deref(), Some("one"), "what was just set");
    s.store("storing:set", "", fresh_for(60_000), &[]);
    assert_eq!(
        s.fresh("storing:set").as_deref(),
        Some(""),
        "an empty value is a value, and replaces the other"
    );
}

fn what_is_not_there_is_not_read(s: &Subject<'_>) {
    assert!(s.get("storing:nothing").is_none(), "`get` finds what was never set");
    assert!(s.cache.fresh("storing:nothing").is_none(), "`fresh` finds what was never set");
    assert!(ok(s.cache.ttl("storing:nothing")).is_none(), "`ttl` of what was never set");
    assert!(!ok(s.cache.expire("storing:nothing", Duration::from_secs(1))), "`expire` of what was never set");
}

fn keys_are_compared_byte_for_byte(s: &Subject<'_>) {
    let long = "k".repeat(1024);
    let keys = [
        "storing:é",
        "storing:e\u{301}",
        "storing:É",
        "storing:*",
        "storing:[a]",
        "storing:a ",
        "storing:a",
        " storing:a",
        "storing:",
        "storing:%61",
        &long,
    ];
    for key in keys {
        s.store(key, key, fresh_for(60_000), &[]);
    }
    for key in keys {
        assert_eq!(s.fresh(key).as_deref(), Some(key), "each key has its own value");
    }
    assert!(s.get(&long[1..]).is_none(), "a key that is a byte shorter is another one");
}

fn delete_says_whether_something_went(s: &Subject<'_>) {
    assert!(!ok(s.cache.delete("storing:delete")), "nothing was there");
    s.store("storing:delete", "fresh", fresh_for(60_000), &[]);
    assert!(ok(s.cache.delete("storing:delete")), "a fresh entry went");
    assert!(!ok(s.cache.delete("storing:delete")), "it has gone already");
    s.store("storing:delete", "stale", stale_after(50, 60_000), &[]);
    (s.advance)(MS * 60);
    assert!(ok(s.cache.delete("storing:delete")), "a stale entry went");
    assert!(s.get("storing:delete").is_none(), "what was deleted is read");
    s.store("storing:delete", "expired", fresh_for(50), &[]);
    (s.advance)(MS * 60);
    assert!(!ok(s.cache.delete("storing:delete")), "what has expired is not there");
}

fn if_absent_stores_only_where_nothing_is_fresh(s: &Subject<'_>) {
    let set = |value: &str| {
        let set = Set { if_absent: true, ..Set::new(stale_after(100, 60_000)) };
        ok(s.cache.set("storing:absent", text(value), set))
    };
    assert_eq!(set("one"), Stored::Yes, "nothing is there");
    assert_eq!(set("two"), Stored::Exists, "a fresh entry is there");
    assert_eq!(s.fresh("storing:absent").as_deref(), Some("one"), "what was there stays");
    (s.advance)(MS * 110);
    assert_eq!(set("three"), Stored::Yes, "what is stale is no reason not to store");
    assert_eq!(s.fresh("storing:absent").as_deref(), Some("three"), "what was stale is replaced");
}

/// Looking and storing are one: of those who store at once, one is told that it did, and its value is there.
fn if_absent_stores_for_one_caller_alone(s: &Subject<'_>) {
    let cache = s.cache;
    for round in 0..50 {
        let key = format!("storing:race:{round}");
        let stored = in_threads(4, |thread| {
            let set = Set { if_absent: true, ..Set::new(fresh_for(60_000)) };
            ok(cache.set(&key, text(&thread.to_string()), set))
        });
        let winners: Vec<usize> = (0..4).filter(|thread| stored[*thread] == Stored::Yes).collect();
        assert_eq!(
            winners.len(),
            1,
            "{key}: of four callers at once, these were told that they stored: {winners:?}"
        );
        assert_eq!(s.fresh(&key), Some(winners[0].to_string()), "{key}: the value of the one who stored");
        ok(cache.delete(&key));
    }
}

/// A backend that cannot know leaves everything at zero.
fn usage_tells_what_is_held(s: &Subject<'_>) {
    ok(s.cache.invalidate(Target::All, Strength::Remove));
    // Time for whatever tidies up.
    (s.advance)(MS * 2_000);
    let before = s.cache.usage();
    s.store("storing:usage:1", "one", fresh_for(60_000), &[]);
    s.store("storing:usage:1", "replaced", fresh_for(60_000), &[]);
    s.store("storing:usage:2", "soon stale", stale_after(1_000, 60_000), &[]);
    s.store("storing:usage:3", "soon expired", fresh_for(1_000), &[]);
    ok(s.cache.incr("storing:usage:4", 1, Lifetime::FOREVER));
    let held = s.cache.usage();
    if held.is_unknown() {
        return;
    }
    assert_eq!(held.entries, before.entries + 4, "four keys are held: {before:?}, then {held:?}");
    assert!(held.weight > before.weight, "they weigh something: {before:?}, then {held:?}");
    (s.advance)(MS * 2_000);
    // Where nothing tidies up, this does.
    assert!(!ok(s.cache.delete("storing:usage:3")), "it has expired");
    let later = s.cache.usage();
    assert_eq!(
        later.entries,
        before.entries + 3,
        "what is stale is held, what has expired is not: {later:?}"
    );
    assert_eq!(later.expirations, before.expirations + 1, "one has expired: {before:?}, then {later:?}");
    for key in ["storing:usage:1", "storing:usage:2", "storing:usage:4"] {
        assert!(ok(s.cache.delete(key)), "{key} is there");
    }
    let after = s.cache.usage();
    assert_eq!((after.entries, after.weight), (before.entries, before.weight), "as before them: {after:?}");
    assert_eq!(after.evictions, before.evictions, "what was replaced or deleted was not evicted: {after:?}");
    assert_eq!(after.expirations, later.expirations, "what was deleted had not expired: {after:?}");
}

fn an_entry_tells_its_age(s: &Subject<'_>) {
    s.store("storing:age", "one", fresh_for(60_000), &[]);
    (s.advance)(MS * 500);
    let age = s.get("storing:age").expect("there").age;
    assert!((MS * 500..MS * 5_500).contains(&age), "{age:?}");
    s.store("storing:age", "two", fresh_for(60_000), &[]);
    let age = s.get("storing:age").expect("there").age;
    assert!(age < MS * 500, "a new value has an age of its own: {age:?}");
}

fn a_value_of_another_kind_is_not_taken_for_this_one(s: &Subject<'_>) {
    s.store("storing:kind", "12", fresh_for(60_000), &[]);
    match s.cache.get("storing:kind", Kind::of::<Vec<u64>>()).wait() {
        Ok(Some(entry)) => assert!(entry.value.downcast::<Vec<u64>>().is_err(), "a text was read as numbers"),
        Ok(None) => {}
        Err(error) => assert_eq!(error.kind(), crate::ErrorKind::TypeMismatch),
    }
    assert_eq!(s.fresh("storing:kind").as_deref(), Some("12"), "it is still there");
}

fn an_operation_is_done_though_its_reply_is_dropped(s: &Subject<'_>) {
    let set = Set::new(Lifetime::FOREVER);
    drop(s.cache.set("storing:dropped", text("one"), set));
    assert_eq!(s.fresh("storing:dropped").as_deref(), Some("one"), "`set` is under way when it returns");
    drop(s.cache.delete("storing:dropped"));
    assert!(s.get("storing:dropped").is_none(), "`delete` is under way when it returns");
}

fn an_origin_comes_back_as_it_was_stored(s: &Subject<'_>) {
    let origin = Origin { cost: MS * 7, version: 3, ..Origin::default() };
    let set = Set { origin, ..Set::new(fresh_for(60_000)) };
    assert_eq!(ok(s.cache.set("storing:origin", text("v"), set)), Stored::Yes);
    assert_eq!(s.get("storing:origin").expect("stored").origin, origin);
    s.store("storing:origin", "w", fresh_for(60_000), &[]);
    let found = s.get("storing:origin").expect("stored").origin;
    assert_eq!(found, Origin::default(), "a new value has an origin of its own");
}

fn a_glance_ends_when_it_was_told_to(s: &Subject<'_>) {
    let set = Set { glance: MS * 100, ..Set::new(fresh_for(60_000)) };
    assert_eq!(ok(s.cache.set("storing:glance", text("v"), set)), Stored::Yes);
    (s.advance)(MS * 100);
    assert!(s.cache.fresh("storing:glance").is_none(), "only `get` may answer now");
    assert_eq!(s.fresh("storing:glance").as_deref(), Some("v"), "`get` still does");
    let set = Set { glance: Duration::ZERO, ..Set::new(fresh_for(60_000)) };
    assert_eq!(ok(s.cache.set("storing:glance", text("w"), set)), Stored::Yes);
    assert!(s.cache.fresh("storing:glance").is_none(), "a glance of zero: `fresh` never answers with it");
    assert_eq!(s.fresh("storing:glance").as_deref(), Some("w"), "`get` does");
}

fn tags_come_back_as_they_were_stored(s: &Subject<'_>) {
    let given = tags(&["storing-a", "storing-b"]);
    s.store("storing:tags", "v", fresh_for(60_000), &given);
    let mut found = s.get("storing:tags").expect("stored").tags;
    found.sort();
    assert_eq!(found, given);
    s.store("storing:tags", "w", fresh_for(60_000), &[]);
    let found = s.get("storing:tags").expect("stored").tags;
    assert!(found.is_empty(), "a new value has tags of its own: {found:?}");
}
