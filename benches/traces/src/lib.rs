//! Cache access traces: which key was asked for, in order.
//!
//! The name of a file tells what it holds: `.gz`, `.xz` and `.zst` are unpacked, then
//!
//! | name | one access is |
//! |---|---|
//! | `….lis` (ARC) | a line `start_block count ignore request_no`: one access to each of `count` blocks |
//! | `cache2k…` | a big-endian integer of 32 bits |
//! | `corda…` | a big-endian integer of 64 bits |
//! | any other with a zero byte in its beginning | such an integer: of 32 bits if the name holds `.trace`, else of 64 |
//! | any other | a line; empty ones and `*` are ignored |

mod accesses;
mod error;
mod format;
mod unpack;

use std::path::Path;

pub use error::Error;

/// A whole trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The accesses in their order, each key as its number in the order of first appearance.
    pub accesses: Vec<u32>,
    /// How many different keys there are.
    pub unique_keys: u32,
}

/// Reads the trace in `file`.
///
/// # Errors
/// Names the file, and says what is wrong with it: it cannot be read or unpacked, a line or an integer is broken, or
/// it holds no access.
pub fn read(file: &Path) -> Result<Trace, Error> {
    let at = |what: String| Error::new(file, what);
    let bytes = unpack::unpack(file).map_err(|error| at(error.to_string()))?;
    let trace = accesses::parse(&bytes, format::Format::of(file, &bytes)).map_err(at)?;
    if trace.accesses.is_empty() {
        return Err(at("it holds no accesses".to_owned()));
    }
    Ok(trace)
}
