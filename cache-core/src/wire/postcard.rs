//! The codec `postcard`, version 1 of its wire format.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::guard::Guard;

pub(super) fn encode<T: Serialize>(value: &T, into: Vec<u8>) -> postcard::Result<Vec<u8>> {
    postcard::to_extend(value, into)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> postcard::Result<T> {
    let mut deserializer = postcard::Deserializer::from_bytes(bytes);
    let value = T::deserialize(Guard::new(&mut deserializer, bytes.len()))?;
    match deserializer.finalize()? {
        [] => Ok(value),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}
