//! How values become bytes and values again, by a static description of their type.

use std::any::{Any, type_name};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "bincode")]
use super::bincode;
use super::described::Described;
use super::faithful::{Rules, faithful};
#[cfg(feature = "json")]
use super::json;
use super::shape::{Counts, Trace, trace};
use super::{Codec, postcard};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Kind, Value};

type Encode = fn(&dyn Any, Codec, &Counts, Vec<u8>) -> Result<Vec<u8>>;

/// The two directions of one type.
pub(crate) struct Coding {
    /// Appends the encoded value.
    encode: Encode,
    decode: fn(&[u8], Codec) -> Result<Value>,
    trace: fn(bool) -> Trace,
}

impl Coding {
    pub(crate) const fn of<T: Serialize + DeserializeOwned + Send + Sync + 'static>() -> Self {
        Self { encode: encode::<T>, decode: decode::<T>, trace: trace::<T> }
    }
}

fn encode<T: Serialize + 'static>(
    value: &dyn Any,
    codec: Codec,
    counts: &Counts,
    into: Vec<u8>,
) -> Result<Vec<u8>> {
    let name = type_name::<T>();
    let value = value.downcast_ref::<T>().ok_or_else(|| failed("encode", name, "it is of another type"))?;
    let rules = Rules::new(counts);
    let value = &faithful(value, &rules);
    let encoded = match codec {
        Codec::Postcard => postcard::encode(value, into),
        #[cfg(feature = "json")]
        Codec::Json => json::encode(value, into),
        #[cfg(feature = "bincode")]
        Codec::Bincode => bincode::encode(value, into),
    };
    encoded.map_err(|source| match rules.why.take() {
        Some(why) => failed("encode", name, &why),
        None => failed("encode", name, "its `Serialize` or the codec refuses").with_source(source),
    })
}

fn decode<T: Serialize + DeserializeOwned + Send + Sync + 'static>(
    bytes: &[u8],
    codec: Codec,
) -> Result<Value> {
    let value: Result<T, String> = match codec {
        Codec::Postcard => postcard::decode(bytes),
        #[cfg(feature = "json")]
        Codec::Json => json::decode(bytes),
        #[cfg(feature = "bincode")]
        Codec::Bincode => bincode::decode(bytes),
    };
    // The codecs' own errors are not handed on: they quote the value, which may be a secret.
    let value = value.map_err(|why| failed("decode", type_name::<T>(), &why))?;
    Ok(Value::new(Arc::new(value)))
}

/// Why a value cannot be encoded.
pub(super) type Refusal = Box<dyn std::error::Error + Send + Sync>;

#[cold]
fn failed(what: &str, name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Codec, format!("cannot {what} a `{name}`: {why}"))
}

impl Kind {
    fn coding(&self, what: &str) -> Result<&Coding> {
        self.coding
            .as_ref()
            .ok_or_else(|| failed(what, self.name(), "what is `Local` never leaves its process"))
    }

    /// What an envelope says of the type; found out once.
    pub(super) fn described(&self) -> Result<&'static Described> {
        let coding = self.coding("encode or decode")?;
        Ok(Described::of((self.id)(), self.name(), coding.trace))
    }

    pub(super) fn decode(&self, bytes: &[u8], codec: Codec) -> Result<Value> {
        (self.coding("decode")?.decode)(bytes, codec)
    }
}

impl Value {
    pub(super) fn encode(&self, codec: Codec, counts: &Counts, into: Vec<u8>) -> Result<Vec<u8>> {
        (self.kind().coding("encode")?.encode)(self.as_any(), codec, counts, into)
    }
}
