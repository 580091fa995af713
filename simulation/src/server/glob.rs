//! Patterns of names, as Redis matches them: `*`, `?`, `[a-c]`, `[^a]`, and a backslash before what is meant as it is.

/// Whether `name` is one that `glob` stands for.
pub(super) fn matches(glob: &[u8], name: &[u8]) -> bool {
    let (mut in_glob, mut in_name) = (0, 0);
    // The last star, and what it stands for so far.
    let mut star = None;
    loop {
        if glob.get(in_glob) == Some(&b'*') {
            in_glob += 1;
            star = Some((in_glob, in_name));
            continue;
        }
        let next = name.get(in_name).and_then(|byte| one(&glob[in_glob..], *byte));
        match (next, star) {
            (Some(length), _) => (in_glob, in_name) = (in_glob + length, in_name + 1),
            (None, _) if in_name == name.len() => return in_glob == glob.len(),
            (None, Some((after, from))) if from < name.len() => {
                star = Some((after, from + 1));
                (in_glob, in_name) = (after, from + 1);
            }
            _ => return false,
        }
    }
}

/// How much of `glob` stands for one byte, if for this one.
fn one(glob: &[u8], byte: u8) -> Option<usize> {
    match glob {
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => {
            let (length, is_in) = in_class(class, byte);
            is_in.then_some(1 + length)
        }
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

/// How long the class is, with its bracket, and whether it holds `byte`. One that is not closed ends with the glob.
fn in_class(class: &[u8], byte: u8) -> (usize, bool) {
    let not = class.first() == Some(&b'^');
    let (mut at, mut found) = (usize::from(not), false);
    loop {
        let length = match &class[at..] {
            [] => return (at, found != not),
            [b']', ..] => return (at + 1, found != not),
            [b'\\', escaped, ..] => {
                found |= *escaped == byte;
                2
            }
            [from, b'-', to, ..] => {
                found |= (*from.min(to)..=*from.max(to)).contains(&byte);
                3
            }
            [literal, ..] => {
                found |= *literal == byte;
                1
            }
        };
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn as_redis_matches() {
        for (glob, yes, no) in [
            ("*", &["", "a", "a\nb"][..], &[][..]),
            ("a*c*", &["ac", "abc", "abcd", "acc"], &["a", "ab", "bac"]),
            ("*a*b", &["ab", "xaab", "abab"], &["aba", ""]),
            ("h?llo", &["hello"], &["hllo", "heello"]),
            ("h[ae]llo", &["hello", "hallo"], &["hillo", "h[ae]llo"]),
            ("h[^e]llo", &["hallo"], &["hello"]),
            ("[a-c]", &["a", "b", "c"], &["d", "-", ""]),
            ("[c-a]", &["b"], &["d"]),
            ("\\*", &["*"], &["a", "\\*"]),
            ("[\\]]", &["]"], &["\\"]),
            ("a\\", &["a\\"], &["a"]),
            ("[ab", &["a", "b"], &["[ab"]),
        ] {
            for name in yes {
                assert!(matches(glob.as_bytes(), name.as_bytes()), "{glob} {name}");
            }
            for name in no {
                assert!(!matches(glob.as_bytes(), name.as_bytes()), "{glob} {name}");
            }
        }
    }
}
