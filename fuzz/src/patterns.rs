//! Patterns: any text is accepted or refused as documented, and matches as Redis matches it.

use arbitrary::{Result, Unstructured};
use cache_core::Pattern;

/// Takes a pattern and a text from `bytes`, and holds the matcher against a slow and obvious one.
pub fn patterns(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    // Where the bytes are at an end, so is the case.
    let _ = case(&mut input);
}

fn case(input: &mut Unstructured<'_>) -> Result<()> {
    if input.ratio(1, 8)? {
        return long(input);
    }
    let (glob, text) = (crate::text(input, 16)?, crate::text(input, 16)?);
    let Ok(pattern) = Pattern::new(&glob) else {
        assert!(glob.is_empty() || glob.chars().any(char::is_control), "{glob:?} is refused");
        return Ok(());
    };
    assert_eq!(pattern.as_str(), glob);
    assert_eq!(pattern.matches(&text), naive(glob.as_bytes(), text.as_bytes()), "{glob:?} and {text:?}");
    Ok(())
}

/// Long ones, which the slow matcher would never be done with: the fuzzer's time limit is the check.
fn long(input: &mut Unstructured<'_>) -> Result<()> {
    let (part, text) = (crate::text(input, 8)?, crate::text(input, 8)?);
    let glob = part.repeat(input.int_in_range(0..=300)?) + &crate::text(input, 4)?;
    let text = text.repeat(input.int_in_range(0..=200)?);
    match Pattern::new(&glob) {
        Ok(pattern) => {
            let matches = pattern.matches(&text);
            assert!(matches || glob != "*", "a star matches everything");
        }
        Err(_) => {
            assert!(glob.is_empty() || glob.len() > 2048 || glob.chars().any(char::is_control), "{glob:?}")
        }
    }
    Ok(())
}

/// `stringmatchlen` of Redis' `util.c`, by recursion at every star.
fn naive(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.first(), text.first()) {
        (None, _) => text.is_empty(),
        (Some(b'*'), _) if pattern.iter().all(|byte| *byte == b'*') => true,
        (Some(b'*'), None) => false,
        (Some(b'*'), Some(_)) => naive(&pattern[1..], text) || naive(pattern, &text[1..]),
        (Some(_), None) => false,
        (Some(b'?'), Some(_)) => naive(&pattern[1..], &text[1..]),
        (Some(b'['), Some(byte)) => {
            let (matches, rest) = class(&pattern[1..], *byte);
            matches && naive(rest, &text[1..])
        }
        (Some(b'\\'), Some(byte)) if pattern.len() > 1 => {
            pattern[1] == *byte && naive(&pattern[2..], &text[1..])
        }
        (Some(literal), Some(byte)) => literal == byte && naive(&pattern[1..], &text[1..]),
    }
}

/// Whether the class matches, and what follows it.
fn class(pattern: &[u8], byte: u8) -> (bool, &[u8]) {
    let (negated, mut rest) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut matches = false;
    loop {
        match rest {
            [b'\\', escaped, after @ ..] => {
                matches |= *escaped == byte;
                rest = after;
            }
            [b']', after @ ..] => return (matches != negated, after),
            [] => return (matches != negated, rest),
            [from, b'-', to, after @ ..] => {
                matches |= (*from.min(to)..=*from.max(to)).contains(&byte);
                rest = after;
            }
            [literal, after @ ..] => {
                matches |= *literal == byte;
                rest = after;
            }
        }
    }
}
