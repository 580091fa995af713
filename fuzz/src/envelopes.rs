//! Envelopes: what goes in comes out, and whatever the bytes, the answer is a value or an error.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use cache_core::wire::{self, Codec, Decoded, Envelope, Format, Header, Order};
use cache_core::{Cacheable, Kind, Lifetime, Origin, Value};
use serde::{Deserialize, Serialize};

/// Takes a value from `bytes`, puts it into an envelope, and damages that; or takes the bytes for an envelope.
pub fn envelopes(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    // Where the bytes are at an end, so is the case.
    let _ = case(&mut input);
}

/// Something of everything that codecs treat in a way of its own.
#[derive(Arbitrary, Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Tree {
    Leaf,
    Text(String),
    Numbers { small: Vec<i16>, large: (u64, i128), letter: char },
    Branches(Vec<Tree>, BTreeMap<String, Option<bool>>),
    Boxed(Option<Box<Tree>>),
}

fn case(input: &mut Unstructured<'_>) -> Result<()> {
    let codec = [Codec::Postcard, Codec::Json, Codec::Bincode][input.int_in_range(0..=2)?];
    let above = if input.arbitrary()? { 0 } else { usize::MAX };
    let format = Format::new(codec).compress_above(above).inflate_at_most(1 << 20);
    match input.int_in_range(0..=2)? {
        0 => round_trip(input, &format),
        1 => payload(input, &format),
        _ => {
            let bytes = input.bytes(input.len())?;
            look(bytes, &format);
            look(&[&[0xFA, b'l', b'r', b'd', 1], bytes].concat(), &format);
            Ok(())
        }
    }
}

fn encode<T: Cacheable>(value: T, input: &mut Unstructured<'_>, format: &Format) -> Result<Vec<u8>> {
    let fresh = Duration::from_millis(input.arbitrary::<u64>()? >> 1);
    let total = fresh + Duration::from_millis(input.arbitrary::<u64>()? >> 2);
    let origin = Origin {
        cost: Duration::from_millis(input.arbitrary::<u32>()?.into()),
        version: input.arbitrary()?,
        ..Origin::default()
    };
    let order = Order { incarnation: input.arbitrary()?, sequence: input.arbitrary()? };
    let tags = (0..input.int_in_range(0..=3)?).map(|_| Ok(crate::text(input, 12)?.into()));
    let tags = tags.collect::<Result<Vec<Box<str>>>>()?;
    let header = Header { order, lifetime: Lifetime { fresh, total }, origin, tags: &tags };
    let bytes = wire::encode(&Value::new(Arc::new(value)), &header, format)
        .unwrap_or_else(|error| panic!("any tree can be encoded: {error:?}"));
    let envelope =
        Envelope::read(&bytes).unwrap_or_else(|error| panic!("what was written is read: {error:?}"));
    assert_eq!((envelope.order, envelope.lifetime, envelope.origin), (order, header.lifetime, origin));
    assert!(envelope.tags().eq(tags.iter().map(|tag| &**tag)));
    Ok(bytes)
}

/// A value, whole and damaged.
fn round_trip(input: &mut Unstructured<'_>, format: &Format) -> Result<()> {
    let tree = Tree::arbitrary(input)?;
    let mut bytes = encode(tree.clone(), input, format)?;
    match decode::<Tree>(&bytes, format) {
        Some(Decoded::Value(value)) => assert!(value.downcast::<Tree>().is_ok_and(|found| *found == tree)),
        // json reads 128 levels, and arbitrary trees are as deep as their bytes last.
        other => assert!(format!("{tree:?}").len() > 128, "{other:?} of {tree:?}"),
    }
    for _ in 0..input.int_in_range(1..=4)? {
        let at = input.choose_index(bytes.len())?;
        match input.int_in_range(0..=2)? {
            0 => bytes[at] ^= input.int_in_range(1..=255_u8)?,
            1 => bytes.truncate(at.max(1)),
            _ => bytes.insert(at, input.arbitrary()?),
        }
    }
    look(&bytes, format);
    Ok(())
}

/// The right envelope around any payload.
fn payload(input: &mut Unstructured<'_>, format: &Format) -> Result<()> {
    let mut bytes = encode(Tree::Leaf, input, format)?;
    bytes[6] = input.int_in_range(0..=1)?;
    let kept = bytes.len() - Envelope::read(&bytes).map_or(0, |envelope| envelope.payload_len());
    bytes.truncate(kept);
    let payload = input.bytes(input.len())?;
    bytes[56..60].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    bytes.extend_from_slice(payload);
    look(&bytes, format);
    Ok(())
}

fn decode<T: Cacheable>(bytes: &[u8], format: &Format) -> Option<Decoded> {
    Envelope::read(bytes).ok()?.decode(Kind::of::<T>(), format).ok()
}

/// Must come back.
fn look(bytes: &[u8], format: &Format) {
    decode::<Tree>(bytes, format);
    decode::<Vec<Option<String>>>(bytes, format);
    if let Ok(envelope) = Envelope::read(bytes) {
        envelope.left(Duration::from_millis(1));
    }
}
