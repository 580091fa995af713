//! What a leaf is answered with: the first sample that the type accepts.

use serde::de::{Error, Visitor};

use super::node::Leaf;

/// Texts that common types accept: nothing at all, numbers, moments, addresses, names.
const TEXTS: [&str; 24] = [
    "",
    "a",
    "0",
    "1",
    "00000000-0000-0000-0000-000000000000",
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00",
    "1970-01-01",
    "00:00:00",
    "1970-01-01 00:00:00 UTC",
    "127.0.0.1",
    "::1",
    "127.0.0.1:80",
    "[::1]:80",
    "127.0.0.0/8",
    "http://a/",
    "a@example.org",
    "example.org",
    "1.0.0",
    "UTC",
    "USD",
    "en",
    "#000000",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
];

/// Lengths of byte strings that have one.
const LENGTHS: [usize; 12] = [0, 1, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64];

impl Leaf {
    /// How many samples there are.
    pub(super) const fn count(self) -> usize {
        match self {
            Self::Str => TEXTS.len(),
            Self::Bytes => LENGTHS.len(),
            Self::Bool | Self::F32 | Self::F64 | Self::Char => 2,
            _ => 3,
        }
    }

    /// Answers with the sample of this number.
    pub(super) fn visit<'de, V: Visitor<'de>, E: Error>(
        self,
        sample: usize,
        visitor: V,
    ) -> Result<V::Value, E> {
        // There are three of each number, by `count`.
        let small = sample as u8;
        match self {
            Self::Bool => visitor.visit_bool(sample != 0),
            Self::I8 => visitor.visit_i8(small as i8),
            Self::I16 => visitor.visit_i16(small.into()),
            Self::I32 => visitor.visit_i32(small.into()),
            Self::I64 => visitor.visit_i64(small.into()),
            Self::I128 => visitor.visit_i128(small.into()),
            Self::U8 => visitor.visit_u8(small),
            Self::U16 => visitor.visit_u16(small.into()),
            Self::U32 => visitor.visit_u32(small.into()),
            Self::U64 => visitor.visit_u64(small.into()),
            Self::U128 => visitor.visit_u128(small.into()),
            Self::F32 => visitor.visit_f32(small.into()),
            Self::F64 => visitor.visit_f64(small.into()),
            Self::Char => visitor.visit_char(char::from(b'a' + small)),
            Self::Str => visitor.visit_str(TEXTS[sample]),
            Self::Bytes => visitor.visit_bytes(&[0; 64][..LENGTHS[sample]]),
        }
    }
}
