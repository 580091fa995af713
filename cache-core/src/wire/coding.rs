//! How values become bytes and values again, by a static description of their type.

use std::any::{Any, type_name};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "bincode")]
use super::bincode;
use super::described::Described;
#[cfg(feature = "json")]
use super::json;
use super::shape::{Trace, trace};
use super::{Codec, postcard};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Kind, Value};

type Encode = fn(&dyn Any, Codec, Vec<u8>) -> Result<Vec<u8>>;

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

fn encode<T: Serialize + 'static>(value: &dyn Any, codec: Codec, into: Vec<u8>) -> Result<Vec<u8>> {
    let value = value.downcast_ref::<T>().ok_or_else(|| failed("encode", type_name::<T>()))?;
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        failed("encode", type_name::<T>()).with_source(error)
    };
    match codec {
        Codec::Postcard => postcard::encode(value, into).map_err(|e| failed(e.into())),
        #[cfg(feature = "json")]
        Codec::Json => json::encode(value, into).map_err(|e| failed(e.into())),
        #[cfg(feature = "bincode")]
        Codec::Bincode => bincode::encode(value, into).map_err(|e| failed(e.into())),
    }
}

fn decode<T: Serialize + DeserializeOwned + Send + Sync + 'static>(
    bytes: &[u8],
    codec: Codec,
) -> Result<Value> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        failed("decode", type_name::<T>()).with_source(error)
    };
    let value: T = match codec {
        Codec::Postcard => postcard::decode(bytes).map_err(|e| failed(e.into()))?,
        #[cfg(feature = "json")]
        Codec::Json => json::decode(bytes).map_err(|e| failed(e.into()))?,
        #[cfg(feature = "bincode")]
        Codec::Bincode => bincode::decode(bytes).map_err(|e| failed(e.into()))?,
    };
    Ok(Value::new(Arc::new(value)))
}

fn failed(what: &str, name: &str) -> Error {
    Error::new(ErrorKind::Codec, format!("cannot {what} a `{name}`: see the source of this error"))
}

impl Kind {
    fn coding(&self, what: &str) -> Result<&Coding> {
        self.coding.as_ref().ok_or_else(|| {
            let name = self.name();
            let message = format!("cannot {what} a `{name}`: what is `Local` never leaves its process");
            Error::new(ErrorKind::Codec, message)
        })
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
    pub(super) fn encode(&self, codec: Codec, into: Vec<u8>) -> Result<Vec<u8>> {
        (self.kind().coding("encode")?.encode)(self.as_any(), codec, into)
    }
}
