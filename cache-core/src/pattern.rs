//! Redis' glob, byte for byte as Redis matches it (`stringmatchlen` in Redis' `util.c`).

use crate::error::{Error, ErrorKind, Result};

/// A glob over keys: `*` any bytes, `?` one byte, `[abc]` `[^a]` `[a-z]` a class, `\x` the byte `x` itself.
///
/// ```
/// use larder::Pattern;
/// let pattern = Pattern::new("user:*:page:[0-9]").unwrap();
/// assert!(pattern.matches("user:7:page:3"));
/// assert!(!pattern.matches("user:7:page:33"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern(Box<str>);

/// What a pattern is made of: see [`Pattern::pieces`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Piece {
    /// This byte.
    Literal(u8),
    /// One byte: any, or one of a class.
    One,
    /// Any bytes, or none.
    Many,
}

impl Pattern {
    /// A pattern of 1 to 2048 bytes without control characters.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidPattern`]. Every other text is a pattern, as it is to Redis.
    pub fn new(pattern: &str) -> Result<Self> {
        if pattern.is_empty() || pattern.len() > 2048 || pattern.chars().any(char::is_control) {
            let rule = "a pattern is 1 to 2048 bytes without control characters";
            return Err(Error::new(
                ErrorKind::InvalidPattern,
                format!("pattern {pattern:?} cannot be used: {rule}"),
            ));
        }
        Ok(Self(pattern.into()))
    }

    /// The pattern that matches every key beginning with `prefix`, and then `rest`, itself a glob.
    pub fn literal_then(prefix: &str, rest: &str) -> String {
        let mut glob = String::with_capacity(prefix.len() + rest.len() + 4);
        for c in prefix.chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                glob.push('\\');
            }
            glob.push(c);
        }
        glob.push_str(rest);
        glob
    }

    /// Whether the whole of `key` matches. Takes time in the product of both lengths at worst, never more.
    pub fn matches(&self, key: impl AsRef<[u8]>) -> bool {
        glob(self.0.as_bytes(), key.as_ref())
    }

    /// Its pieces in their order, for those who look patterns up by what is literal in them.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        let mut rest = self.0.as_bytes();
        std::iter::from_fn(move || {
            let (piece, used) = match *rest {
                [] => return None,
                [b'*', ..] => (Piece::Many, 1),
                [b'?', ..] => (Piece::One, 1),
                [b'[', ..] => (Piece::One, class(rest, 0).0),
                [b'\\', escaped, ..] => (Piece::Literal(escaped), 2),
                [literal, ..] => (Piece::Literal(literal), 1),
            };
            rest = rest.get(used..).unwrap_or_default();
            Some(piece)
        })
    }

    /// The pattern's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Only the last `*` ever needs to be tried again: what an earlier one could still reach, the last can as well.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            p += 1;
            star = Some((p, t));
            continue;
        }
        if t == text.len() {
            return p == pattern.len();
        }
        match step(&pattern[p..], text[t]) {
            Some(used) => (p, t) = (p + used, t + 1),
            None => {
                let Some((after, from)) = star else { return false };
                star = Some((after, from + 1));
                (p, t) = (after, from + 1);
            }
        }
    }
}

/// How many bytes of `pattern`, which does not begin with `*`, are used up by matching `byte`; `None`: no match.
fn step(pattern: &[u8], byte: u8) -> Option<usize> {
    match *pattern.first()? {
        b'?' => Some(1),
        b'[' => {
            let (used, found) = class(pattern, byte);
            found.then_some(used)
        }
        b'\\' if pattern.len() >= 2 => (pattern[1] == byte).then_some(2),
        literal => (literal == byte).then_some(1),
    }
}

/// How long the class at the beginning of `pattern` is, and whether `byte` is of it. As Redis reads it: `]` right after `[` closes it, a range may be written backwards, an unclosed class
/// reaches to the end of the pattern.
fn class(pattern: &[u8], byte: u8) -> (usize, bool) {
    let mut i = 1;
    let negated = pattern.get(i) == Some(&b'^');
    i += usize::from(negated);
    let mut found = false;
    loop {
        match pattern[i.min(pattern.len())..] {
            [] => break,
            [b'\\', escaped, ..] => {
                found |= escaped == byte;
                i += 2;
            }
            [b']', ..] => {
                i += 1;
                break;
            }
            [from, b'-', to, ..] => {
                found |= (from.min(to)..=from.max(to)).contains(&byte);
                i += 3;
            }
            [literal, ..] => {
                found |= literal == byte;
                i += 1;
            }
        }
    }
    (i, found != negated)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of Redis 7.0.15's `KEYS`.
    #[test]
    fn matches_what_redis_matches() {
        for (pattern, yes, no) in [
            ("*", &["", "a", "a:b"][..], &[][..]),
            ("a*c", &["ac", "abc", "abcbc"], &["ab", "acd"]),
            ("a**c", &["ac", "axc"], &["a"]),
            ("h?llo", &["hello", "hallo"], &["hllo"]),
            ("h[ae]llo", &["hello"], &["hillo"]),
            ("h[^e]llo", &["hallo"], &["hello"]),
            ("h[a-c]llo", &["hbllo"], &["hdllo"]),
            ("h[c-a]llo", &["hbllo"], &["hdllo"]),
            (r"a\*", &["a*"], &["ab"]),
            (r"[\]]", &["]"], &["\\"]),
            ("[", &[], &["[", "a"]),
            ("[a", &["a"], &["b"]),
            ("[^", &["a"], &[""]),
            ("[]", &[], &["]", "a"]),
            ("[^]", &["a"], &[""]),
            ("[a-", &["a", "-"], &["b"]),
            ("user:*:page", &["user:1:page", "user::page"], &["user:1:pages"]),
            ("\\", &["\\"], &["a"]),
        ] {
            for text in yes {
                assert!(glob(pattern.as_bytes(), text.as_bytes()), "{pattern} should match {text:?}");
            }
            for text in no {
                assert!(!glob(pattern.as_bytes(), text.as_bytes()), "{pattern} should not match {text:?}");
            }
        }
    }

    #[test]
    fn pieces_are_what_is_matched() {
        use Piece::{Literal, Many, One};
        let pieces = |text: &str| Pattern::new(text).expect("valid").pieces().collect::<Vec<_>>();
        assert_eq!(pieces(r"a*\*?"), [Literal(b'a'), Many, Literal(b'*'), One]);
        // Classes that are not closed reach to the end, whatever looks like their end.
        assert_eq!(pieces("x[a-]bc"), [Literal(b'x'), One]);
        assert_eq!(pieces(r"[\]bc"), [One]);
        assert_eq!(pieces("[]b"), [One, Literal(b'b')]);
        assert_eq!(pieces("\\"), [Literal(b'\\')]);
    }

    #[test]
    fn many_stars_cost_no_exponential_time() {
        let pattern = "a*".repeat(500) + "b";
        assert!(!glob(pattern.as_bytes(), "a".repeat(1000).as_bytes()));
    }

    #[test]
    fn a_literal_prefix_matches_itself_only() {
        let pattern = Pattern::new(&Pattern::literal_then("a[b]*:", "x*")).expect("valid");
        assert!(pattern.matches("a[b]*:xyz"));
        assert!(!pattern.matches("ab:xyz"));
    }
}
