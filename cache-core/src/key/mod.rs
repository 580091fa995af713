//! Keys: what is one, and how arguments become one without ever colliding or widening a pattern.

mod part;
mod template;

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

use arrayvec::ArrayString;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

pub use part::KeyPart;
pub use template::check_template;

/// The longest key, in bytes.
pub const MAX_KEY_LEN: usize = 1024;

/// A key is 1 to 1024 bytes of UTF-8 without control characters.
pub(crate) fn check(key: &str) -> Result<()> {
    let wrong = if key.is_empty() {
        "it is empty"
    } else if key.len() > MAX_KEY_LEN {
        "it is longer than 1024 bytes; `key!` shortens such keys by a hash"
    } else if holds_control(key) {
        "it holds a control character; `key!` escapes them in arguments"
    } else {
        return Ok(());
    };
    // Enough of the key to find it by, not a page of it.
    let shown: String = key.chars().take(64).collect();
    Err(Error::new(ErrorKind::InvalidKey, format!("key {shown:?} cannot be used: {wrong}")))
}

/// Whether `text` holds a control character. Most keys are ASCII, and told byte by byte.
fn holds_control(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    }
}

const INLINE: usize = 112;

/// A key made by [`key!`](crate::key!) or [`KeyBuilder`]; short ones live without the heap.
///
/// It is a `str` wherever one is wanted.
#[derive(Clone)]
pub struct Key(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Inline(ArrayString<INLINE>),
    Heap(String),
}

impl Key {
    /// The key's text.
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Inline(text) => text,
            Repr::Heap(text) => text,
        }
    }
}

impl Deref for Key {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Key {
    #[inline]
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Key {}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialEq<str> for Key {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Key {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        match key.0 {
            Repr::Inline(text) => text.as_str().to_owned(),
            Repr::Heap(text) => text,
        }
    }
}

/// Builds a [`Key`] from literal text and escaped arguments; [`key!`](crate::key!) writes the calls.
#[derive(Debug)]
pub struct KeyBuilder(Repr);

impl Default for KeyBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl KeyBuilder {
    /// An empty key.
    #[inline]
    pub fn new() -> Self {
        Self(Repr::Inline(ArrayString::new_const()))
    }

    /// Adds literal text, as it is.
    #[inline]
    pub fn text(&mut self, text: &str) {
        match &mut self.0 {
            Repr::Inline(inline) => {
                if inline.try_push_str(text).is_err() {
                    let heap = String::with_capacity((inline.len() + text.len()) * 2) + inline + text;
                    self.0 = Repr::Heap(heap);
                }
            }
            Repr::Heap(heap) => heap.push_str(text),
        }
    }

    /// Adds an argument, escaped: no two argument lists make one key.
    #[inline]
    pub fn part<P: KeyPart + ?Sized>(&mut self, part: &P) {
        part.write_to(self);
    }

    /// Adds an argument's text, percent-escaping `% : * ? [ ] \ { }` and control characters.
    #[inline]
    pub fn escaped(&mut self, text: &str) {
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            if matches!(c, '%' | ':' | '*' | '?' | '[' | ']' | '\\' | '{' | '}') || c.is_control() {
                self.text(&text[plain..at]);
                plain = at + c.len_utf8();
                for byte in text[at..plain].bytes() {
                    const HEX: &[u8; 16] = b"0123456789ABCDEF";
                    let digit = |nibble: u8| char::from(HEX[usize::from(nibble & 15)]);
                    self.char('%');
                    self.char(digit(byte >> 4));
                    self.char(digit(byte));
                }
            }
        }
        self.text(&text[plain..]);
    }

    fn char(&mut self, c: char) {
        self.text(c.encode_utf8(&mut [0; 4]));
    }

    /// The key. One longer than 1024 bytes keeps its beginning and ends in `#` and 128 bits of SHA-256 of the
    /// whole, in hexadecimal, so that it is the same in every process.
    #[inline]
    pub fn finish(self) -> Key {
        match self.0 {
            Repr::Heap(text) if text.len() > MAX_KEY_LEN => Key(Repr::Heap(shortened(text))),
            repr => Key(repr),
        }
    }
}

impl KeyBuilder {
    /// The text as it is, however long.
    pub(crate) fn into_text(self) -> String {
        Key(self.0).into()
    }
}

fn shortened(mut text: String) -> String {
    let hash = Sha256::digest(text.as_bytes());
    text.truncate(text.floor_char_boundary(MAX_KEY_LEN - 33));
    text.push('#');
    for byte in &hash[..16] {
        use fmt::Write;
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key;

    #[test]
    fn arguments_cannot_collide_nor_widen() {
        assert_eq!(key!("u:{}:{}", "a:b", "c"), "u:a%3Ab:c");
        assert_ne!(key!("u:{}:{}", "a:b", "c"), key!("u:{}:{}", "a", "b:c"));
        assert_eq!(key!("p:{}", "*?[]\\{}%\n"), "p:%2A%3F%5B%5D%5C%7B%7D%25%0A");
        assert_eq!(key!("p:{}", "é"), "p:é");
    }

    #[test]
    fn checks_what_is_a_key() {
        assert!(check("a").is_ok() && check(&"k".repeat(1024)).is_ok());
        for bad in ["", "a\nb", "\u{85}", &"k".repeat(1025)] {
            assert_eq!(check(bad).expect_err("refused").kind(), ErrorKind::InvalidKey);
        }
    }

    #[test]
    fn a_long_key_ends_in_a_hash_of_the_whole() {
        let (a, b) = ("x".repeat(3000), "x".repeat(2999) + "y");
        let (a, b) = (key!("long:{}", a), key!("long:{}", b));
        assert_ne!(a, b);
        assert_eq!((a.len(), b.len()), (1024, 1024));
        assert!(check(&a).is_ok());
        assert_eq!(key!("é:{}", "é".repeat(700)).len(), 1024);
    }
}
