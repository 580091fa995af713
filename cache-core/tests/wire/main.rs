//! The wire form: what goes in comes out, other kinds and shapes are told apart, and no bytes do harm.

mod codecs;
mod compression;
mod envelopes;
mod golden;
mod harm;
mod kinds;
mod properties;
mod python;
mod student;

use std::sync::Arc;

use cache_core::wire::{self, Codec, Decoded, Envelope, Format, Header, Order};
use cache_core::{Cacheable, Kind, Lifetime, Origin, Result, Value};
use serde::{Deserialize, Serialize};

fn plain(codec: Codec) -> Format {
    Format::new(codec)
}

/// An envelope without anything special about it.
fn entry<T: Cacheable>(value: T, format: &Format) -> Result<Vec<u8>> {
    versioned(value, 0, format)
}

fn versioned<T: Cacheable>(value: T, version: u32, format: &Format) -> Result<Vec<u8>> {
    let origin = Origin { version, ..Origin::default() };
    let header = Header { order: Order::default(), lifetime: Lifetime::FOREVER, origin, tags: &[] };
    wire::encode(&Value::new(Arc::new(value)), &header, format)
}

fn decoded<T: Cacheable>(bytes: &[u8]) -> Result<Decoded> {
    Envelope::read(bytes)?.decode(Kind::of::<T>(), &Format::default())
}

fn value<T: Cacheable>(bytes: &[u8]) -> Arc<T> {
    match decoded::<T>(bytes) {
        Ok(Decoded::Value(value)) => value.downcast().expect("of this kind"),
        other => panic!("no value: {other:?}"),
    }
}

/// An envelope of `T` around other bytes than those of a value.
fn around<T: Cacheable + Default>(codec: Codec, payload: &[u8]) -> Vec<u8> {
    let mut bytes = entry(T::default(), &plain(codec)).expect("encodes");
    let length = Envelope::read(&bytes).expect("reads").payload_len();
    bytes.truncate(bytes.len() - length);
    bytes[56..60].copy_from_slice(&u32::try_from(payload.len()).expect("short").to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct List(u8, Option<Box<List>>);

impl List {
    fn of(length: u8) -> Self {
        (1..length).fold(Self(0, None), |rest, n| Self(n, Some(Box::new(rest))))
    }
}
