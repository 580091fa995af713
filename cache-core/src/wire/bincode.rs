//! The codec `bincode`, 2.0.1 in its standard configuration.

use bincode::config::standard;
use bincode::error::{DecodeError, EncodeError};
use bincode::serde::{borrow_decode_from_slice, encode_into_std_write};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) fn encode<T: Serialize>(value: &T, mut into: Vec<u8>) -> Result<Vec<u8>, EncodeError> {
    encode_into_std_write(value, &mut into, standard())?;
    Ok(into)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let (value, read) = borrow_decode_from_slice(bytes, standard())?;
    if read != bytes.len() {
        return Err(DecodeError::Other("something follows the value"));
    }
    Ok(value)
}
