//! Large payloads, compressed: their length, then one block of LZ4.

#[cfg(feature = "compression")]
pub(super) use on::{deflate, inflate};

#[cfg(not(feature = "compression"))]
pub(super) use off::{deflate, inflate};

#[cfg(feature = "compression")]
mod on {
    use crate::error::{Error, ErrorKind, Result};
    use crate::wire::Format;

    /// An LZ4 block is never unpacked to more than so many times its own length.
    const MOST: usize = 256;

    /// Compresses what is in `bytes` from `start` on, if it is long enough and that makes it shorter.
    pub(crate) fn deflate(bytes: &mut Vec<u8>, start: usize, format: &Format) -> bool {
        let length = bytes.len() - start;
        let Ok(size) = u32::try_from(length) else { return false };
        if length <= format.compress_above || length > format.inflate_at_most {
            return false;
        }
        let end = bytes.len();
        bytes.resize(end + lz4_flex::block::get_maximum_output_size(length), 0);
        let (plain, packed) = bytes.split_at_mut(end);
        let packed = lz4_flex::block::compress_into(&plain[start..], packed);
        match packed {
            Ok(packed) if packed + 4 < length => {
                bytes[start..start + 4].copy_from_slice(&size.to_le_bytes());
                bytes.copy_within(end..end + packed, start + 4);
                bytes.truncate(start + 4 + packed);
                true
            }
            _ => {
                bytes.truncate(end);
                false
            }
        }
    }

    pub(crate) fn inflate(bytes: &[u8], format: &Format) -> Result<Vec<u8>> {
        let Some((size, packed)) = bytes.split_first_chunk::<4>() else {
            return Err(refused("it is cut"));
        };
        let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
        if size > format.inflate_at_most {
            let most = format.inflate_at_most;
            return Err(refused(&format!("it says it is of {size} bytes, more than the limit of {most}")));
        }
        if size > packed.len().saturating_mul(MOST) {
            return Err(refused("it says it is larger than it can be"));
        }
        let mut plain = vec![0; size];
        match lz4_flex::block::decompress_into(packed, &mut plain) {
            Ok(length) if length == size => Ok(plain),
            Ok(_) => Err(refused("it is shorter than it says")),
            Err(error) => Err(refused("it is no block of LZ4").with_source(error)),
        }
    }

    fn refused(why: &str) -> Error {
        Error::new(ErrorKind::Codec, format!("cannot unpack an entry's value: {why}"))
    }
}

#[cfg(not(feature = "compression"))]
mod off {
    use crate::error::{Error, ErrorKind, Result};
    use crate::wire::Format;

    pub(crate) fn deflate(_: &mut Vec<u8>, _: usize, _: &Format) -> bool {
        false
    }

    pub(crate) fn inflate(_: &[u8], _: &Format) -> Result<Vec<u8>> {
        let message = "an entry's value is compressed: turn larder's feature `compression` on to read it";
        Err(Error::new(ErrorKind::Codec, message))
    }
}
