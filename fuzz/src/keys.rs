//! Keys and the patterns made from them: no two argument lists make one key, and no argument widens a pattern.

use arbitrary::{Result, Unstructured};
use cache_core::{KeyBuilder, KeyPart, MAX_KEY_LEN, Pattern, key};

/// Takes argument lists from `bytes`, and makes keys and patterns of them.
pub fn keys(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    // Where the bytes are at an end, so is the case.
    let _ = case(&mut input);
}

fn case(input: &mut Unstructured<'_>) -> Result<()> {
    match input.int_in_range(0..=4)? {
        0 => differ(input, |input| Ok((text(input)?, text(input)?, input.arbitrary::<i64>()?))),
        1 => differ(input, |input| Ok((option(input)?, texts(input)?, input.arbitrary::<bool>()?))),
        2 => differ(input, |input| {
            Ok((
                vec![texts(input)?, texts(input)?],
                input.arbitrary::<char>()?,
                (option(input)?, text(input)?),
            ))
        }),
        3 => long(input),
        _ => patterns(input),
    }
}

fn text(input: &mut Unstructured<'_>) -> Result<String> {
    crate::text(input, 12)
}

fn option(input: &mut Unstructured<'_>) -> Result<Option<Option<String>>> {
    Ok(match input.int_in_range(0..=2)? {
        0 => None,
        1 => Some(None),
        _ => Some(Some(text(input)?)),
    })
}

fn texts(input: &mut Unstructured<'_>) -> Result<Vec<String>> {
    (0..input.int_in_range(0..=3)?).map(|_| text(input)).collect()
}

/// Two argument lists of one template: one key if and only if they are equal.
fn differ<A, B, C>(
    input: &mut Unstructured<'_>,
    arguments: impl Fn(&mut Unstructured<'_>) -> Result<(A, B, C)>,
) -> Result<()>
where
    A: KeyPart + PartialEq + std::fmt::Debug,
    B: KeyPart + PartialEq + std::fmt::Debug,
    C: KeyPart + PartialEq + std::fmt::Debug,
{
    let (one, other) = (arguments(input)?, arguments(input)?);
    let [a, b] = [&one, &other].map(|(a, b, c)| key!("t:{}:{}:{}", a, b, c));
    assert_eq!(one == other, a == b, "{one:?} is {a}, {other:?} is {b}");
    check(&a);
    let mut built = KeyBuilder::new();
    built.text("t:");
    built.part(&one.0);
    built.text(":");
    built.part(&one.1);
    built.text(":");
    built.part(&one.2);
    assert_eq!(built.finish(), a, "the macro and the builder make one key");
    Ok(())
}

/// The same for keys that may be too long, and then end in a hash.
fn long(input: &mut Unstructured<'_>) -> Result<()> {
    let (part, times) = (text(input)?, input.int_in_range(0..=600)?);
    let (one, other) = (part.repeat(times), part.repeat(times) + &text(input)?);
    let [a, b] = [&one, &other].map(|argument| key!("long:{}", argument));
    assert_eq!(one == other, a == b);
    check(&a);
    check(&b);
    Ok(())
}

fn check(key: &str) {
    assert!((1..=MAX_KEY_LEN).contains(&key.len()), "{} bytes", key.len());
    assert!(!key.chars().any(char::is_control), "{key:?}");
}

/// A pattern with some arguments in it matches the keys with these arguments, and no others.
fn patterns(input: &mut Unstructured<'_>) -> Result<()> {
    let [a, b, other] = [text(input)?, text(input)?, text(input)?];
    let (key, stranger) = (key!("t:{}:{}", a, b), key!("t:{}:{}", other, b));
    let by_first = pattern(&format!("{}*", key!("t:{}:", a)));
    let by_second = pattern(&format!("t:*{}", key!(":{}", b)));
    assert!(by_first.matches(&*key) && by_second.matches(&*key) && by_second.matches(&*stranger));
    assert_eq!(by_first.matches(&*stranger), a == other, "{by_first:?} and {stranger}");
    // A literal is itself and nothing else.
    if !a.is_empty() && !a.chars().any(char::is_control) {
        let literal = pattern(&Pattern::literal_then(&a, ""));
        assert!(literal.matches(&a));
        assert_eq!(literal.matches(&other), a == other, "{literal:?} and {other:?}");
        let begins = pattern(&Pattern::literal_then(&a, "*"));
        assert_eq!(begins.matches(&other), other.starts_with(&a), "{begins:?} and {other:?}");
    }
    Ok(())
}

fn pattern(text: &str) -> Pattern {
    Pattern::new(text).unwrap_or_else(|error| panic!("{text:?} is a pattern: {error}"))
}
