//! The codec `bincode`, 2.0.1 in its standard configuration.

use std::marker::PhantomData;

use bincode::config::standard;
use bincode::error::DecodeError;
use bincode::serde::{encode_into_std_write, seed_decode_from_slice};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::coding::Refusal;
use super::guard::Guard;

pub(super) fn encode<T: Serialize>(value: &T, mut into: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    encode_into_std_write(value, &mut into, standard())?;
    Ok(into)
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let seed = Guard::new(PhantomData::<T>, bytes.len());
    // Borrowing: an owned text's length would be believed, and room made for it.
    match seed_decode_from_slice(seed, bytes, standard()) {
        Ok((value, read)) if read == bytes.len() => Ok(value),
        Ok(_) => Err("something follows the value".into()),
        Err(DecodeError::OtherString(_)) => Err("the type refuses what it reads".into()),
        Err(error) => Err(error.to_string()),
    }
}
