//! What a reader presents to see at least what a writer has written.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// Stands for what had been changed in a store when it was made: [`Engine::token`](crate::Engine::token) after a write gives
/// it, and [`Engine::read_after`](crate::Engine::read_after) takes it, in whichever process the reader comes to.
///
/// As text it is short, and of letters, digits and a hyphen alone, fit for a cookie, a header or a URL; so it is with serde.
/// It is no secret, and not signed: who makes one up waits for nothing, or once too often.
///
/// ```
/// use larder::Token;
/// let token: Token = "00000000c0ffee00-42".parse()?;
/// assert_eq!(token.to_string(), "00000000c0ffee00-42");
/// assert!("42".parse::<Token>().is_err());
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Token {
    incarnation: u64,
    number: u64,
}

impl Token {
    /// The token of a backend: the `number`th since its count began, in this random `incarnation` of it.
    pub fn new(incarnation: u64, number: u64) -> Self {
        Self { incarnation, number }
    }

    /// Which count it is of.
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// Its number in that count: who has seen what one stands for has seen what those before it stand for.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{}", self.incarnation, self.number)
    }
}

fn parsed(text: &str) -> Option<Token> {
    let (incarnation, number) = text.split_once('-')?;
    let token = Token::new(u64::from_str_radix(incarnation, 16).ok()?, number.parse().ok()?);
    // There is one way to write each.
    (token.to_string() == text).then_some(token)
}

const RULE: &str = "a token is 16 hexadecimal digits in lower case, a hyphen, and a number: take what `Larder::token` gave \
    as it is, or do without";

impl FromStr for Token {
    type Err = Error;

    /// # Errors
    /// `InvalidToken` for whatever is not exactly what `Display` writes. The text is not repeated: it comes from outside.
    fn from_str(text: &str) -> Result<Self> {
        parsed(text).ok_or_else(|| {
            let message = format!("a text of {} bytes is no token: {RULE}", text.len());
            Error::new(ErrorKind::InvalidToken, message)
        })
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Token;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RULE)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Token, E> {
        text.parse().map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        for token in [Token::default(), Token::new(1, 7), Token::new(u64::MAX, u64::MAX)] {
            let text = token.to_string();
            assert_eq!(text.parse::<Token>().expect("a token"), token);
            assert!(
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && text.len() <= 37
            );
            let json = serde_json::to_string(&token).expect("serialises");
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Token>(&json).expect("deserialises"), token);
        }
        for bad in [
            "",
            "-",
            "7",
            "0000000000000001",
            "0000000000000001-",
            "0000000000000001-+7",
            "0000000000000001-07",
            "0000000000000001--7",
            "0000000000000001-7 ",
            " 0000000000000001-7",
            "000000000000000A-7",
            "1-7",
            "00000000000000001-7",
            "0000000000000001-18446744073709551616",
            "000000000000000é-7",
        ] {
            let error = bad.parse::<Token>().expect_err(bad);
            assert_eq!(error.kind(), ErrorKind::InvalidToken);
            assert!(bad.len() < 3 || !error.to_string().contains(bad), "{error}");
        }
        assert!(
            serde_json::from_str::<Token>("7").is_err() && serde_json::from_str::<Token>("\"x\"").is_err()
        );
    }
}
