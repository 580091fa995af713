//! Invalidation of what is stored.

use super::{MS, Subject, fresh_for, in_threads, ok, sentences, stale_after, tags};
use crate::target::{Strength, Target};

sentences! {
    each_target_removes_what_it_covers_and_nothing_else
    each_target_marks_stale_what_it_covers_and_nothing_else
    what_is_stored_afterwards_is_valid
    marking_stale_gives_no_time
    patterns_match_as_in_redis
    an_entry_is_reached_by_each_of_its_tags
    invalidating_nothing_is_no_error
    tags_are_compared_byte_for_byte
    patterns_are_matched_byte_for_byte
    many_tags_are_all_kept
    marking_stale_again_changes_nothing
    what_was_marked_stale_can_be_removed
    a_later_removal_is_not_undone_by_an_earlier_mark
    threads_see_their_own_writes_and_invalidations
}

const TARGETS: [Target<'static>; 4] =
    [Target::Key("inv:k:1"), Target::Pattern("inv:k:[1]"), Target::Tag("inv-a"), Target::All];

/// Two entries, of which each target but `All` covers the first.
fn two(s: &Subject<'_>) {
    s.store("inv:k:1", "one", stale_after(60_000, 120_000), &tags(&["inv-a", "inv-b"]));
    s.store("inv:k:2", "two", stale_after(60_000, 120_000), &tags(&["inv-b"]));
}

fn each_target_removes_what_it_covers_and_nothing_else(s: &Subject<'_>) {
    for target in TARGETS {
        two(s);
        ok(s.cache.invalidate(target, Strength::Remove));
        assert!(s.cache.fresh("inv:k:1").is_none() && s.get("inv:k:1").is_none(), "{target:?}");
        assert!(ok(s.cache.ttl("inv:k:1")).is_none() && !ok(s.cache.delete("inv:k:1")), "{target:?}");
        assert_eq!(s.fresh("inv:k:2").is_some(), target != Target::All, "{target:?}");
    }
}

fn each_target_marks_stale_what_it_covers_and_nothing_else(s: &Subject<'_>) {
    for target in TARGETS {
        two(s);
        ok(s.cache.invalidate(target, Strength::MarkStale));
        assert_eq!(s.stale("inv:k:1").as_deref(), Some("one"), "{target:?}");
        if target == Target::All {
            assert_eq!(s.stale("inv:k:2").as_deref(), Some("two"), "`All` covers every key");
        } else {
            assert_eq!(s.fresh("inv:k:2").as_deref(), Some("two"), "{target:?}");
        }
    }
}

fn what_is_stored_afterwards_is_valid(s: &Subject<'_>) {
    for strength in [Strength::Remove, Strength::MarkStale] {
        for target in TARGETS {
            ok(s.cache.invalidate(target, strength));
            two(s);
            assert_eq!(s.fresh("inv:k:1").as_deref(), Some("one"), "{target:?} {strength:?}");
            (s.advance)(MS * 2_000);
            assert_eq!(s.fresh("inv:k:1").as_deref(), Some("one"), "{target:?} {strength:?}, later");
        }
    }
}

fn marking_stale_gives_no_time(s: &Subject<'_>) {
    s.store("inv:bare", "no stale window", fresh_for(60_000), &[]);
    s.store("inv:window", "to 400 ms", stale_after(200, 400), &[]);
    (s.advance)(MS * 100);
    ok(s.cache.invalidate(Target::Pattern("inv:*"), Strength::MarkStale));
    assert!(s.stale("inv:window").is_some(), "it keeps its stale window");
    (s.advance)(MS * 310);
    assert!(s.get("inv:window").is_none(), "which ends when it always would have");
}

fn patterns_match_as_in_redis(s: &Subject<'_>) {
    for (pattern, hit, miss) in [
        ("inv:p?t:*", "inv:pat:", "inv:paat:1"),
        ("inv:[a-c]", "inv:b", "inv:d"),
        ("inv:[^a-c]", "inv:d", "inv:b"),
        (r"inv:\*", "inv:*", "inv:x"),
        (r"inv:%2A", "inv:%2A", "inv:*"),
    ] {
        s.store(hit, "hit", fresh_for(60_000), &[]);
        s.store(miss, "miss", fresh_for(60_000), &[]);
        ok(s.cache.invalidate(Target::Pattern(pattern), Strength::Remove));
        assert!(s.get(hit).is_none(), "{pattern} covers {hit}");
        assert!(s.fresh(miss).is_some(), "{pattern} does not cover {miss}");
    }
}

fn an_entry_is_reached_by_each_of_its_tags(s: &Subject<'_>) {
    let all = tags(&["inv:t:1", "inv:t:2", "inv:t:*"]);
    for tag in &all {
        s.store("inv:tagged", "value", fresh_for(60_000), &all);
        ok(s.cache.invalidate(Target::Tag(tag), Strength::Remove));
        assert!(s.get("inv:tagged").is_none(), "by {tag}");
    }
    // A new value has its own tags only.
    s.store("inv:tagged", "value", fresh_for(60_000), &all);
    s.store("inv:tagged", "value", fresh_for(60_000), &all[..1]);
    ok(s.cache.invalidate(Target::Tag(&all[1]), Strength::Remove));
    assert!(s.fresh("inv:tagged").is_some(), "a tag of the value that was replaced reaches the new one");
}

fn invalidating_nothing_is_no_error(s: &Subject<'_>) {
    for strength in [Strength::Remove, Strength::MarkStale] {
        for target in [Target::Key("inv:none"), Target::Pattern("inv:none:*"), Target::Tag("inv-none")] {
            ok(s.cache.invalidate(target, strength));
        }
    }
}

fn tags_are_compared_byte_for_byte(s: &Subject<'_>) {
    let all =
        ["inv:tag", "inv:tag:1", "inv:ta", "inv:TAG", "inv:tagé", "inv:tage\u{301}", "inv:t*", "inv:tag "];
    for (number, tag) in all.iter().enumerate() {
        s.store(&format!("inv:by:{number}"), tag, fresh_for(60_000), &tags(&[tag]));
    }
    for (struck, tag) in all.iter().enumerate() {
        ok(s.cache.invalidate(Target::Tag(tag), Strength::Remove));
        for (number, own) in all.iter().enumerate() {
            let left = s.fresh(&format!("inv:by:{number}")).is_some();
            assert_eq!(left, number > struck, "tag {tag:?}, entry of {own:?}");
        }
    }
}

fn patterns_are_matched_byte_for_byte(s: &Subject<'_>) {
    for (pattern, key, covered) in [
        ("inv:byte:?", "inv:byte:é", false), // two bytes
        ("inv:byte:??", "inv:byte:é", true),
        ("inv:byte:é*", "inv:byte:é1", true),
        ("inv:byte:*", "inv:byte:", true),
        ("inv:byte", "inv:byte:1", false),
        ("INV:BYTE:*", "inv:byte:1", false),
        ("*:byte:*", "inv:byte:1", true),
        ("inv:byte:[1-3]?", "inv:byte:2x", true),
        (r"inv:byte:\[1]", "inv:byte:[1]", true),
        (r"inv:byte:\?", "inv:byte:1", false),
    ] {
        s.store(key, "value", fresh_for(60_000), &[]);
        ok(s.cache.invalidate(Target::Pattern(pattern), Strength::Remove));
        assert_eq!(s.get(key).is_none(), covered, "{pattern} over {key}");
    }
}

fn many_tags_are_all_kept(s: &Subject<'_>) {
    let names: Vec<String> = (0..40).map(|tag| format!("inv:many:{tag}")).collect();
    let all = tags(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for tag in [&all[0], &all[17], &all[39]] {
        s.store("inv:many", "value", fresh_for(60_000), &all);
        ok(s.cache.invalidate(Target::Tag(tag), Strength::Remove));
        assert!(s.get("inv:many").is_none(), "by {tag}");
    }
}

fn marking_stale_again_changes_nothing(s: &Subject<'_>) {
    s.store("inv:again", "value", stale_after(100, 300), &[]);
    ok(s.cache.invalidate(Target::Key("inv:again"), Strength::MarkStale));
    (s.advance)(MS * 50);
    let before = s.get("inv:again").expect("stale");
    assert!(
        before.left.fresh.is_zero() && before.stale_for >= MS * 50,
        "stale since it was marked: {before:?}"
    );
    ok(s.cache.invalidate(Target::Key("inv:again"), Strength::MarkStale));
    let after = s.get("inv:again").expect("stale");
    assert!(after.left.total <= before.left.total && after.stale_for >= before.stale_for, "{after:?}");
    assert!(ok(s.cache.delete("inv:again")), "a stale entry is there to be deleted");
}

fn what_was_marked_stale_can_be_removed(s: &Subject<'_>) {
    for target in TARGETS {
        two(s);
        ok(s.cache.invalidate(target, Strength::MarkStale));
        ok(s.cache.invalidate(target, Strength::Remove));
        assert!(s.get("inv:k:1").is_none(), "{target:?}");
    }
}

fn a_later_removal_is_not_undone_by_an_earlier_mark(s: &Subject<'_>) {
    for target in TARGETS {
        two(s);
        ok(s.cache.invalidate(target, Strength::Remove));
        ok(s.cache.invalidate(target, Strength::MarkStale));
        assert!(s.get("inv:k:1").is_none(), "{target:?}");
    }
}

fn threads_see_their_own_writes_and_invalidations(s: &Subject<'_>) {
    let cache = s.cache;
    let rounds = |thread: usize| {
        let still = Subject { cache, advance: &|_| {} };
        let (key, tag) = (format!("inv:threads:{thread}"), format!("inv-thread-{thread}"));
        for round in 0..100 {
            let value = round.to_string();
            still.store(&key, &value, fresh_for(60_000), &tags(&[&tag]));
            assert!(
                still.fresh(&key).is_none_or(|seen| seen == value),
                "{key} is older than what was just set"
            );
            match round % 4 {
                0 => ok(cache.invalidate(Target::Tag(&tag), Strength::Remove)),
                1 => ok(cache.invalidate(Target::Pattern(&key), Strength::Remove)),
                2 => ok(cache.invalidate(Target::Key(&key), Strength::Remove)),
                _ => drop(ok(cache.delete(&key))),
            }
            assert!(still.get(&key).is_none(), "{key} is there after it was invalidated (round {round})");
        }
    };
    in_threads(4, rounds);
}
