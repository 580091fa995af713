//! The codec `postcard`, version 1 of its wire format.

use postcard::Deserializer;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::coding::Refusal;
use super::guard::Guard;

pub(super) fn encode<T: Serialize>(value: &T, into: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    Ok(postcard::to_extend(value, into)?)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut deserializer = Deserializer::from_bytes(bytes);
    let value = T::deserialize(Guard::new(&mut deserializer, bytes.len())).map_err(|e| e.to_string())?;
    match deserializer.finalize() {
        Ok([]) => Ok(value),
        _ => Err("something follows the value".into()),
    }
}
