//! How values become bytes and values again, by a static description of their type.

use std::any::{Any, type_name};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::value::{Kind, Value};

/// The two directions of one type.
pub(crate) struct Coding {
    encode: fn(&dyn Any) -> Result<Vec<u8>>,
    decode: fn(&[u8]) -> Result<Value>,
}

impl Coding {
    pub(crate) const fn of<T: Serialize + DeserializeOwned + Send + Sync + 'static>() -> Self {
        Self { encode: encode::<T>, decode: decode::<T> }
    }
}

fn encode<T: Serialize + 'static>(value: &dyn Any) -> Result<Vec<u8>> {
    let value = value.downcast_ref::<T>().ok_or_else(|| failed("encode", type_name::<T>()))?;
    postcard::to_stdvec(value).map_err(|e| failed("encode", type_name::<T>()).with_source(e))
}

fn decode<T: Serialize + DeserializeOwned + Send + Sync + 'static>(bytes: &[u8]) -> Result<Value> {
    let value: T =
        postcard::from_bytes(bytes).map_err(|e| failed("decode", type_name::<T>()).with_source(e))?;
    Ok(Value::new(Arc::new(value)))
}

fn failed(what: &str, name: &str) -> Error {
    let why = "it is `Local`, or its serde implementation says no: see the source of this error";
    Error::new(ErrorKind::Codec, format!("cannot {what} a `{name}`: {why}"))
}

impl Kind {
    /// Reads what [`Value::encode`] wrote of this type.
    ///
    /// # Errors
    /// [`ErrorKind::Codec`]: the bytes are of another type, or the type is [`Local`](crate::Local).
    pub fn decode(&self, bytes: &[u8]) -> Result<Value> {
        let coding = self.coding.as_ref().ok_or_else(|| failed("decode", self.name()))?;
        (coding.decode)(bytes)
    }
}

impl Value {
    /// The value as bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Codec`]: its `Serialize` failed, or it is [`Local`](crate::Local).
    pub fn encode(&self) -> Result<Vec<u8>> {
        let kind = self.kind();
        let coding = kind.coding.as_ref().ok_or_else(|| failed("encode", kind.name()))?;
        (coding.encode)(self.as_any())
    }
}
