//! The codec `json`.

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) fn encode<T: Serialize>(value: &T, mut into: Vec<u8>) -> serde_json::Result<Vec<u8>> {
    serde_json::to_writer(&mut into, value)?;
    Ok(into)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(bytes)
}
