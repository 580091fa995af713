//! Envelopes, written and read.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::compression::{deflate, inflate};
use super::layout::{self, Reader, damaged};
use super::{Codec, Format, Header, Order};
use crate::deadline::Lifetime;
use crate::entry::{Origin, Tiers};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Kind, Value};

/// The envelope of `value`, in one allocation as a rule.
///
/// # Errors
/// [`ErrorKind::Codec`]: its `Serialize` failed; it is [`Local`](crate::Local); it is of 4 GiB or more, or has more than 65 535 tags.
pub fn encode(value: &Value, header: &Header<'_>, format: &Format) -> Result<Vec<u8>> {
    let (kind, codec) = (value.kind(), format.codec);
    let described = kind.described()?;
    let shape = described.shape(codec);
    described.check(codec, header.origin.version)?;
    let name = described.name();
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(&layout::MAGIC);
    // The length of a name fits, by `Described`.
    let flags = if header.origin.tiers == Tiers::L2 { layout::SKIPS_L1 } else { 0 };
    bytes.extend_from_slice(&[layout::VERSION, codec.number(), flags, name.len() as u8]);
    let [fresh, stale] = layout::lifetimes(header.lifetime);
    for number in [header.order.incarnation, header.order.sequence, fresh, stale, shape] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&header.origin.version.to_le_bytes());
    bytes.extend_from_slice(&saturated(layout::millis(header.origin.cost)).to_le_bytes());
    // For the length of the payload, which is known at the end.
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&short(header.tags.len(), "tags")?);
    bytes.extend_from_slice(name.as_bytes());
    for tag in header.tags {
        bytes.extend_from_slice(&short(tag.len(), "bytes in a tag")?);
        bytes.extend_from_slice(tag.as_bytes());
    }
    let start = bytes.len();
    let mut bytes = value.encode(codec, described.counts(codec), bytes)?;
    if deflate(&mut bytes, start, format) {
        bytes[layout::FLAGS_AT] |= layout::COMPRESSED;
    }
    let length = u32::try_from(bytes.len() - start).map_err(|_| too_much(bytes.len() - start, "bytes"))?;
    bytes[layout::PAYLOAD_LEN_AT..layout::TAG_COUNT_AT].copy_from_slice(&length.to_le_bytes());
    Ok(bytes)
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn short(count: usize, of: &str) -> Result<[u8; 2]> {
    u16::try_from(count).map(u16::to_le_bytes).map_err(|_| too_much(count, of))
}

#[cold]
fn too_much(count: usize, of: &str) -> Error {
    Error::new(ErrorKind::Codec, format!("cannot make an entry of {count} {of}: that is more than fits"))
}

/// Whether `bytes` begin as an envelope does, of whatever version. What does not is a counter, or somebody else's.
pub fn has_magic(bytes: &[u8]) -> bool {
    bytes.starts_with(&layout::MAGIC)
}

/// Gives an envelope made by [`encode`] another order, as when the store has named it only now.
///
/// # Panics
/// If `envelope` is none.
pub fn set_order(envelope: &mut [u8], order: Order) {
    assert!(has_magic(envelope), "no envelope");
    layout::put_pair(envelope, layout::ORDER_AT, [order.incarnation, order.sequence]);
}

/// What an envelope says, borrowed from its bytes.
#[derive(Clone, Copy)]
pub struct Envelope<'a> {
    /// The order that the entry is held against.
    pub order: Order,
    /// How long it lives from the moment at which it was stored.
    pub lifetime: Lifetime,
    /// How it came about.
    pub origin: Origin,
    /// The codec of its value.
    pub codec: Codec,
    compressed: bool,
    shape: u64,
    kind: &'a str,
    tags: Tags<'a>,
    payload: &'a [u8],
}

/// What came of decoding.
#[derive(Clone, Debug)]
pub enum Decoded {
    /// The value.
    Value(Value),
    /// It is of the kind that was asked for, and was written when the type looked otherwise, as in a rolling deploy:
    /// to be treated as if there were none.
    OtherShape,
    /// It is of another kind: [`Envelope::kind`] says which.
    OtherKind,
}

impl<'a> Envelope<'a> {
    /// Looks into an envelope, copying nothing. Its value is not looked at.
    ///
    /// # Errors
    /// [`ErrorKind::Codec`]: the bytes are none, or are damaged, or a newer version wrote them, or a codec that this
    /// program was built without.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader(bytes);
        if reader.array()? != layout::MAGIC {
            return Err(damaged("it does not begin as one; something other than larder wrote it"));
        }
        let [version, codec, flags, kind_len] = reader.array()?;
        if version != layout::VERSION {
            return Err(damaged(&format!(
                "it is of format version {version}, which this program is too old for"
            )));
        }
        if flags & !(layout::COMPRESSED | layout::SKIPS_L1) != 0 {
            return Err(damaged(&format!("it has flags ({flags:#04x}) that this program is too old for")));
        }
        let tiers = if flags & layout::SKIPS_L1 == 0 { Tiers::Both } else { Tiers::L2 };
        let mut number = || reader.array().map(u64::from_le_bytes);
        let order = Order { incarnation: number()?, sequence: number()? };
        let (fresh, stale, shape) = (number()?, number()?, number()?);
        let [version, cost, payload_len] =
            [reader.array()?, reader.array()?, reader.array()?].map(u32::from_le_bytes);
        let tag_count = u16::from_le_bytes(reader.array()?);
        let kind = reader.text(kind_len.into())?;
        let tags = Tags::read(tag_count, &mut reader)?;
        if usize::try_from(payload_len) != Ok(reader.0.len()) {
            return Err(damaged("it is cut, or something follows it"));
        }
        let total = layout::duration(fresh.saturating_add(stale));
        Ok(Self {
            order,
            lifetime: Lifetime { fresh: layout::duration(fresh), total },
            origin: Origin { cost: Duration::from_millis(cost.into()), version, tiers, ..Origin::default() },
            codec: Codec::of_number(codec)?,
            compressed: flags & layout::COMPRESSED != 0,
            shape,
            kind,
            tags,
            payload: reader.0,
        })
    }

    /// The name of the kind of its value; of a very long one the beginning, and a hash.
    pub fn kind(&self) -> &'a str {
        self.kind
    }

    /// The tags.
    pub fn tags(&self) -> Tags<'a> {
        self.tags
    }

    /// The length of the value as it stands here, compressed or not.
    pub fn payload_len(&self) -> usize {
        self.payload.len()
    }

    /// Makes a value of `kind` of what it holds.
    ///
    /// It allocates the value, and for a compressed one at most 256 times the envelope's length, and no more than
    /// `format` allows.
    ///
    /// # Errors
    /// [`ErrorKind::Codec`]: the bytes are no value of this kind and shape.
    pub fn decode(&self, kind: &'static Kind, format: &Format) -> Result<Decoded> {
        let described = kind.described()?;
        if self.kind != described.name() {
            return Ok(Decoded::OtherKind);
        }
        if self.shape != described.shape(self.codec) {
            return Ok(Decoded::OtherShape);
        }
        described.check(self.codec, self.origin.version)?;
        let payload =
            if self.compressed { Cow::Owned(inflate(self.payload, format)?) } else { self.payload.into() };
        kind.decode(&payload, self.codec).map(Decoded::Value)
    }
}

impl fmt::Debug for Envelope<'_> {
    /// Without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("order", &self.order)
            .field("lifetime", &self.lifetime)
            .field("origin", &self.origin)
            .field("codec", &self.codec)
            .field("kind", &self.kind)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

/// The tags in an envelope.
#[derive(Clone, Copy)]
pub struct Tags<'a> {
    left: u16,
    bytes: &'a [u8],
}

impl<'a> Tags<'a> {
    /// Finds out where they end.
    fn read(count: u16, reader: &mut Reader<'a>) -> Result<Self> {
        let bytes = reader.0;
        for _ in 0..count {
            let length = u16::from_le_bytes(reader.array()?);
            reader.text(length.into())?;
        }
        Ok(Self { left: count, bytes })
    }
}

impl<'a> Iterator for Tags<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        let mut reader = Reader(self.bytes);
        let length = u16::from_le_bytes(reader.array().ok()?);
        let tag = reader.text(length.into()).ok()?;
        self.bytes = reader.0;
        Some(tag)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left.into(), Some(self.left.into()))
    }
}

impl ExactSizeIterator for Tags<'_> {}

impl fmt::Debug for Tags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}
