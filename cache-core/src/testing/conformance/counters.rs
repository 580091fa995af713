//! Counters.

use std::sync::Arc;

use super::{MS, Subject, fresh_for, in_threads, ok, sentences};
use crate::deadline::Lifetime;
use crate::entry::Set;
use crate::error::ErrorKind;
use crate::target::{Strength, Target};
use crate::value::{Kind, Value};

sentences! {
    a_counter_begins_at_zero
    a_stored_integer_is_a_counter
    what_is_no_integer_stays_as_it_was
    overflow_leaves_the_count_as_it_was
    incr_is_exact_under_concurrency
    a_counter_keeps_its_deadline
    adding_changes_neither_deadline_nor_age
    clear_and_patterns_reach_counters
    a_value_in_place_of_a_counter_is_no_counter
    deleting_a_counter_begins_it_again
    a_stale_counter_begins_again
}

fn count(s: &Subject<'_>, key: &str) -> Option<i64> {
    ok(s.cache.get(key, Kind::of::<i64>())).map(|entry| entry.value.as_integer().expect("an integer"))
}

fn incr(s: &Subject<'_>, key: &str, delta: i64) -> i64 {
    ok(s.cache.incr(key, delta, Lifetime::FOREVER))
}

fn a_counter_begins_at_zero(s: &Subject<'_>) {
    assert_eq!(
        [incr(s, "counters:new", 5), incr(s, "counters:new", -7), incr(s, "counters:new", 0)],
        [5, -2, -2],
        "0 + 5, - 7, + 0"
    );
    assert_eq!(count(s, "counters:new"), Some(-2), "`get` gives the sum as an integer");
}

fn a_stored_integer_is_a_counter(s: &Subject<'_>) {
    let set = Set::new(fresh_for(60_000));
    ok(s.cache.set("counters:stored", Value::new(Arc::new(40_i64)), set));
    assert_eq!(incr(s, "counters:stored", 2), 42, "40 was set");
    assert_eq!(count(s, "counters:stored"), Some(42), "`get` gives the sum");
}

fn what_is_no_integer_stays_as_it_was(s: &Subject<'_>) {
    s.store("counters:text", "12", fresh_for(60_000), &[]);
    let error = s.cache.incr("counters:text", 1, Lifetime::FOREVER).wait().expect_err("not a counter");
    assert_eq!(error.kind(), ErrorKind::NotAnInteger, "{error}");
    assert!(error.to_string().contains("counters:text"), "the error names the key: {error}");
    assert_eq!(s.fresh("counters:text").as_deref(), Some("12"), "the value is as it was");
}

fn overflow_leaves_the_count_as_it_was(s: &Subject<'_>) {
    for (key, most, one) in [("counters:max", i64::MAX, 1), ("counters:min", i64::MIN, -1)] {
        assert_eq!(incr(s, key, most), most, "0 + {most}");
        let error = s.cache.incr(key, one, Lifetime::FOREVER).wait().expect_err("overflow");
        assert_eq!(error.kind(), ErrorKind::Overflow, "{error}");
        assert_eq!(count(s, key), Some(most), "{key} is as it was");
    }
}

fn incr_is_exact_under_concurrency(s: &Subject<'_>) {
    let cache = s.cache;
    let add = |_| ok(cache.incr("counters:many", 1, Lifetime::FOREVER));
    let mut sums: Vec<i64> = in_threads(4, |_| (0..250).map(add).collect::<Vec<_>>()).concat();
    assert_eq!(count(s, "counters:many"), Some(1000), "four threads added one, 250 times each");
    sums.sort_unstable();
    assert!(sums.into_iter().eq(1..=1000), "each of them was told another sum");
}

fn a_counter_keeps_its_deadline(s: &Subject<'_>) {
    assert_eq!(ok(s.cache.incr("counters:ttl", 1, fresh_for(100))), 1, "it begins here");
    (s.advance)(MS * 60);
    assert_eq!(ok(s.cache.incr("counters:ttl", 1, fresh_for(60_000))), 2, "60 ms of 100 are over");
    (s.advance)(MS * 60);
    assert_eq!(count(s, "counters:ttl"), None, "the second call found it, so its lifetime does not count");
    assert_eq!(incr(s, "counters:ttl", 1), 1, "it begins again");
}

fn adding_changes_neither_deadline_nor_age(s: &Subject<'_>) {
    let key = "counters:kept";
    ok(s.cache.incr(key, 1, fresh_for(60_000)));
    (s.advance)(MS * 1_000);
    for lifetime in [fresh_for(100), fresh_for(600_000), Lifetime::FOREVER] {
        ok(s.cache.incr(key, 1, lifetime));
        let left = ok(s.cache.ttl(key)).expect("there");
        assert!((MS * 54_000..=MS * 59_000).contains(&left.fresh), "of 60 s, 1 s is over: {left:?} left");
        let entry = ok(s.cache.get(key, Kind::of::<i64>())).expect("there");
        assert!((MS * 1_000..=MS * 6_000).contains(&entry.age), "it is 1 s old: {:?}", entry.age);
    }
}

fn clear_and_patterns_reach_counters(s: &Subject<'_>) {
    incr(s, "counters:pattern:1", 1);
    ok(s.cache.invalidate(Target::Pattern("counters:pattern:*"), Strength::Remove));
    assert_eq!(count(s, "counters:pattern:1"), None, "a pattern reaches it");
    incr(s, "counters:pattern:1", 1);
    ok(s.cache.invalidate(Target::All, Strength::Remove));
    assert_eq!(count(s, "counters:pattern:1"), None, "`All` reaches it");
}

fn a_value_in_place_of_a_counter_is_no_counter(s: &Subject<'_>) {
    incr(s, "counters:replaced", 1);
    s.store("counters:replaced", "text", fresh_for(60_000), &[]);
    let added = s.cache.incr("counters:replaced", 1, Lifetime::FOREVER).wait();
    assert!(added.is_err(), "a text was added to: {added:?}");
    assert_eq!(s.fresh("counters:replaced").as_deref(), Some("text"), "the value is as it was");
}

fn deleting_a_counter_begins_it_again(s: &Subject<'_>) {
    incr(s, "counters:deleted", 41);
    assert!(ok(s.cache.delete("counters:deleted")), "a counter is there to be deleted");
    assert_eq!(incr(s, "counters:deleted", 1), 1, "it begins again");
}

fn a_stale_counter_begins_again(s: &Subject<'_>) {
    incr(s, "counters:marked", 41);
    ok(s.cache.invalidate(Target::Key("counters:marked"), Strength::MarkStale));
    assert_eq!(incr(s, "counters:marked", 1), 1, "only what is fresh is added to");
}
