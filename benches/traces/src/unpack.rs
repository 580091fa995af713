//! A file's bytes, unpacked as its extension says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

pub(crate) fn unpack(file: &Path) -> io::Result<Vec<u8>> {
    let mut packed = BufReader::new(File::open(file)?);
    let mut bytes = Vec::new();
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => {
            MultiGzDecoder::new(packed).read_to_end(&mut bytes).map_err(|error| broken("gzip", error))?
        }
        Some("xz") => {
            XzReader::new(packed, true).read_to_end(&mut bytes).map_err(|error| broken("xz", error))?
        }
        Some("zst") => zstd(&mut packed, &mut bytes).map_err(|error| broken("zstd", error))?,
        _ => packed.read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

/// Frame by frame: the decoder stops after one.
fn zstd(packed: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let mut total = 0;
    while !packed.fill_buf()?.is_empty() {
        let mut frame = StreamingDecoder::new(&mut *packed).map_err(io::Error::other)?;
        total += frame.read_to_end(bytes)?;
    }
    Ok(total)
}

fn broken(format: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("it is not the {format} file that its name promises ({error})"))
}
