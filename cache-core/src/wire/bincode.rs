//! The codec `bincode`, 2.0.1 in its standard configuration.

use std::marker::PhantomData;

use bincode::config::standard;
use bincode::error::{DecodeError, EncodeError};
use bincode::serde::{encode_into_std_write, seed_decode_from_slice};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::guard::Guard;

pub(super) fn encode<T: Serialize>(value: &T, mut into: Vec<u8>) -> Result<Vec<u8>, EncodeError> {
    encode_into_std_write(value, &mut into, standard())?;
    Ok(into)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    // Borrowing: an owned text's length would be believed, and room made for it.
    let (value, read) = seed_decode_from_slice(Guard::new(PhantomData::<T>, bytes.len()), bytes, standard())?;
    if read != bytes.len() {
        return Err(DecodeError::Other("something follows the value"));
    }
    Ok(value)
}
