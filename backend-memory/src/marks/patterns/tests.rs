//! The index against the plain list of all marks.

use cache_core::{Pattern, Strength};
use proptest::prelude::*;

use super::super::Verdict;
use super::{LIMITS, Limits, Patterns};

/// What the list of all marks says: the truth.
fn truth(marks: &[(u64, Option<Pattern>, Strength)], key: &[u8], since: u64) -> Verdict {
    let young = marks.iter().filter(|(order, ..)| *order > since);
    let mine = young.filter(|(_, pattern, _)| pattern.as_ref().is_none_or(|pattern| pattern.matches(key)));
    let verdicts = mine.map(|(_, _, strength)| match strength {
        Strength::Remove => Verdict::Gone,
        Strength::MarkStale => Verdict::Stale,
    });
    verdicts.fold(Verdict::Valid, Verdict::and)
}

fn severity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Valid => 0,
        Verdict::Stale => 1,
        Verdict::Gone => 2,
    }
}

fn marks() -> impl Strategy<Value = Vec<(Option<String>, bool)>> {
    let piece = prop_oneof![
        4 => "[ab:]",
        2 => Just("*".to_owned()),
        1 => Just("?".to_owned()),
        1 => prop_oneof!["\\[[ab^\\]:-]{0,3}\\]?", "\\\\[a*]?"],
    ];
    let pattern = prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat());
    prop::collection::vec((prop::option::weighted(0.97, pattern), any::<bool>()), 1..40)
}

/// Makes the marks, forgets those up to `forget`, and hands each answer beside the truth to `check`.
fn compare(
    limits: Limits,
    marks: &[(Option<String>, bool)],
    forget: u64,
    keys: &[String],
    mut check: impl FnMut(Verdict, Verdict),
) {
    let (patterns, mut list) = (Patterns::new(limits), Vec::new());
    for (order, (text, stale)) in (1..).zip(marks) {
        let pattern = text.as_ref().map(|text| Pattern::new(text).expect("valid"));
        let strength = if *stale { Strength::MarkStale } else { Strength::Remove };
        patterns.mark(pattern.clone(), strength, || order);
        list.push((order, pattern, strength));
        if order == forget {
            patterns.forget(order);
        }
    }
    let last = list.len() as u64;
    for key in keys.iter().map(String::as_bytes) {
        // Nobody who was not held against a mark asks once it is forgotten.
        for since in forget.min(last)..=last {
            let (verdict, upto) = patterns.examine(key, since);
            assert_eq!(upto, last);
            check(verdict, truth(&list, key, since));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_says_what_the_list_says(
        marks in marks(),
        forget in 0..20_u64,
        keys in prop::collection::vec("[ab:*]{1,6}", 1..20),
    ) {
        compare(LIMITS, &marks, forget, &keys, |said, truth| assert_eq!(said, truth));
    }

    #[test]
    fn without_room_it_says_more_and_never_less(
        marks in marks(),
        forget in 0..20_u64,
        keys in prop::collection::vec("[ab:*]{1,6}", 1..20),
        (shapes, lengths, globs, bytes, most) in (0..4_usize, 0..3_usize, 0..3_usize, 0..30_usize, 1..20_usize),
    ) {
        let limits = Limits { shapes, lengths, globs, bytes, marks: most };
        compare(limits, &marks, forget, &keys, |said, truth| assert!(severity(said) >= severity(truth)));
    }
}

/// Marks what `text` makes of each number, and says how many marks are kept.
fn many(text: impl Fn(u32) -> String, n: u32) -> (Patterns, usize) {
    let patterns = Patterns::default();
    let mark = |i| {
        let pattern = Some(Pattern::new(&text(i)).expect("valid"));
        patterns.mark(pattern, Strength::Remove, || u64::from(i) + 1)
    };
    let kept = (0..n).map(mark).max().unwrap_or(0);
    (patterns, kept)
}

#[test]
fn ten_thousand_of_a_form_cover_what_they_match_and_nothing_else() {
    let forms: [fn(u32) -> String; 8] = [
        |i| format!("x:{i}:*"),
        |i| format!("*:{i}:x"),
        |i| format!("x:*:{i}:x"),
        |i| format!("*:{i}:*"),
        |i| format!("*x:{i}:*x*"),
        |i| format!("x:{i}:?"),
        |i| format!("x:[a-z]:{i}:x"),
        |i| format!("x:{i}:x"),
    ];
    let keys: [fn(u32) -> String; 8] = [
        |i| format!("x:{i}:y"),
        |i| format!("y:{i}:x"),
        |i| format!("x:y:{i}:x"),
        |i| format!("y:{i}:y"),
        |i| format!("y:x:{i}:yx"),
        |i| format!("x:{i}:y"),
        |i| format!("x:y:{i}:x"),
        |i| format!("x:{i}:x"),
    ];
    for (form, key) in forms.into_iter().zip(keys) {
        let (patterns, kept) = many(form, 10_000);
        assert!((10_000..=30_000).contains(&kept), "{kept} of {}", form(0));
        for i in 0..20_000 {
            let (verdict, _) = patterns.examine(key(i).as_bytes(), 0);
            let expected = if i < 10_000 { Verdict::Gone } else { Verdict::Valid };
            assert_eq!(verdict, expected, "{} of {}", key(i), form(i));
        }
        assert_eq!(patterns.forget(5_000), patterns.index.read().len());
        assert!(patterns.index.read().len() <= kept / 2 + 5_000);
        assert_eq!(patterns.forget(10_000), 0);
        assert_eq!(patterns.examine(key(0).as_bytes(), 10_000).0, Verdict::Valid);
    }
}

#[test]
fn the_same_again_is_no_new_mark_and_whatever_comes_is_bounded() {
    for text in ["x:*", "*:x", "*:x:*", "x:[a-c]:*", "?", "x"] {
        assert_eq!(many(|_| text.to_owned(), 1_000).1, if text.contains(['[', '?']) { 2 } else { 1 });
    }
    // Further than the limits go: everything is marked, and little kept.
    let (patterns, kept) = many(|i| format!("x:{i}:*"), 300_000);
    assert!(kept <= LIMITS.marks, "{kept}");
    assert_eq!(patterns.examine(b"y", 0).0, Verdict::Gone);
    // Globs with nothing literal in them: all under one text.
    let (patterns, kept) =
        many(|i| format!("[{}]{}", char::from_u32(0x4e00 + i).expect("a letter"), "?"), 10_000);
    assert!(kept <= LIMITS.globs + 1, "{kept}");
    assert_eq!(patterns.examine(b"y", 0).0, Verdict::Gone);
    // Long ones.
    let (patterns, kept) = many(|i| format!("{i}{}?", "x".repeat(2_000)), 10_000);
    let index = patterns.index.read();
    assert!(kept <= 2 * 10_000 && index.middles.bytes() <= LIMITS.bytes, "{kept}");
}
