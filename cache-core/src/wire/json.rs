//! The codec `json`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::coding::Refusal;

pub(super) fn encode<T: Serialize>(value: &T, mut into: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    serde_json::to_writer(&mut into, value)?;
    Ok(into)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("a problem of {:?} at line {line}, column {column}", error.classify())
    })
}
