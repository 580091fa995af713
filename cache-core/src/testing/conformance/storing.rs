//! Storing, reading, deleting.

use std::time::Duration;

use super::{MS, Subject, fresh_for, ok, sentences, stale_after, tags, text};
use crate::deadline::Lifetime;
use crate::entry::{Origin, Set, Stored};
use crate::value::Kind;

sentences! {
    what_is_set_is_read
    what_is_not_there_is_not_read
    keys_are_compared_byte_for_byte
    delete_says_whether_something_went
    if_absent_stores_only_where_nothing_is_fresh
    an_origin_comes_back_as_it_was_stored
    tags_come_back_as_they_were_stored
    a_glance_ends_when_it_was_told_to
    an_entry_tells_its_age
    a_value_of_another_kind_is_not_taken_for_this_one
    an_operation_is_done_though_its_reply_is_dropped
}

fn what_is_set_is_read(s: &Subject<'_>) {
    s.store("storing:set", "one", fresh_for(60_000), &[]);
    assert_eq!(s.fresh("storing:set").as_deref(), Some("one"));
    s.store("storing:set", "", fresh_for(60_000), &[]);
    assert_eq!(s.fresh("storing:set").as_deref(), Some(""));
}

fn what_is_not_there_is_not_read(s: &Subject<'_>) {
    assert!(s.get("storing:nothing").is_none());
    assert!(s.cache.fresh("storing:nothing").is_none());
    assert!(ok(s.cache.ttl("storing:nothing")).is_none());
    assert!(!ok(s.cache.expire("storing:nothing", Duration::from_secs(1))));
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
        assert_eq!(s.fresh(key).as_deref(), Some(key));
    }
    assert!(s.get(&long[1..]).is_none());
}

fn delete_says_whether_something_went(s: &Subject<'_>) {
    assert!(!ok(s.cache.delete("storing:delete")));
    s.store("storing:delete", "fresh", fresh_for(60_000), &[]);
    assert!(ok(s.cache.delete("storing:delete")));
    assert!(!ok(s.cache.delete("storing:delete")));
    s.store("storing:delete", "stale", stale_after(50, 60_000), &[]);
    (s.advance)(MS * 60);
    assert!(ok(s.cache.delete("storing:delete")), "a stale entry went");
    assert!(s.get("storing:delete").is_none());
    s.store("storing:delete", "expired", fresh_for(50), &[]);
    (s.advance)(MS * 60);
    assert!(!ok(s.cache.delete("storing:delete")), "what has expired is not there");
}

fn if_absent_stores_only_where_nothing_is_fresh(s: &Subject<'_>) {
    let set = |value: &str| {
        let set = Set { if_absent: true, ..Set::new(stale_after(100, 60_000)) };
        ok(s.cache.set("storing:absent", text(value), set))
    };
    assert_eq!(set("one"), Stored::Yes);
    assert_eq!(set("two"), Stored::Exists);
    assert_eq!(s.fresh("storing:absent").as_deref(), Some("one"));
    (s.advance)(MS * 110);
    assert_eq!(set("three"), Stored::Yes, "what is stale is no reason not to store");
    assert_eq!(s.fresh("storing:absent").as_deref(), Some("three"));
}

fn an_entry_tells_its_age(s: &Subject<'_>) {
    s.store("storing:age", "one", fresh_for(60_000), &[]);
    (s.advance)(MS * 500);
    let age = s.get("storing:age").expect("there").age;
    assert!((MS * 500..MS * 5_500).contains(&age), "{age:?}");
    s.store("storing:age", "two", fresh_for(60_000), &[]);
    assert!(s.get("storing:age").expect("there").age < MS * 500);
}

fn a_value_of_another_kind_is_not_taken_for_this_one(s: &Subject<'_>) {
    s.store("storing:kind", "12", fresh_for(60_000), &[]);
    match s.cache.get("storing:kind", Kind::of::<Vec<u64>>()).wait() {
        Ok(Some(entry)) => assert!(entry.value.downcast::<Vec<u64>>().is_err()),
        Ok(None) => {}
        Err(error) => assert_eq!(error.kind(), crate::ErrorKind::TypeMismatch),
    }
    assert_eq!(s.fresh("storing:kind").as_deref(), Some("12"), "it is still there");
}

fn an_operation_is_done_though_its_reply_is_dropped(s: &Subject<'_>) {
    let set = Set::new(Lifetime::FOREVER);
    drop(s.cache.set("storing:dropped", text("one"), set));
    assert_eq!(s.fresh("storing:dropped").as_deref(), Some("one"));
    drop(s.cache.delete("storing:dropped"));
    assert!(s.get("storing:dropped").is_none());
}

fn an_origin_comes_back_as_it_was_stored(s: &Subject<'_>) {
    let origin = Origin { cost: MS * 7, version: 3 };
    let set = Set { origin, ..Set::new(fresh_for(60_000)) };
    assert_eq!(ok(s.cache.set("storing:origin", text("v"), set)), Stored::Yes);
    assert_eq!(s.get("storing:origin").expect("stored").origin, origin);
    s.store("storing:origin", "w", fresh_for(60_000), &[]);
    assert_eq!(s.get("storing:origin").expect("stored").origin, Origin::default());
}

fn a_glance_ends_when_it_was_told_to(s: &Subject<'_>) {
    let set = Set { glance: MS * 100, ..Set::new(fresh_for(60_000)) };
    assert_eq!(ok(s.cache.set("storing:glance", text("v"), set)), Stored::Yes);
    (s.advance)(MS * 100);
    assert!(s.cache.fresh("storing:glance").is_none(), "only `get` may answer now");
    assert_eq!(s.fresh("storing:glance").as_deref(), Some("v"));
    let set = Set { glance: Duration::ZERO, ..Set::new(fresh_for(60_000)) };
    assert_eq!(ok(s.cache.set("storing:glance", text("w"), set)), Stored::Yes);
    assert!(s.cache.fresh("storing:glance").is_none());
    assert_eq!(s.fresh("storing:glance").as_deref(), Some("w"));
}

fn tags_come_back_as_they_were_stored(s: &Subject<'_>) {
    let given = tags(&["storing-a", "storing-b"]);
    s.store("storing:tags", "v", fresh_for(60_000), &given);
    let mut found = s.get("storing:tags").expect("stored").tags;
    found.sort();
    assert_eq!(found, given);
    s.store("storing:tags", "w", fresh_for(60_000), &[]);
    assert!(s.get("storing:tags").expect("stored").tags.is_empty());
}
