//! How envelopes are written, and how much a reader unpacks.

use super::Codec;

/// How envelopes are written, and how much a reader unpacks.
///
/// Every reader reads all codecs that it was built with, whatever it writes itself.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    pub(super) codec: Codec,
    #[cfg_attr(not(feature = "compression"), expect(dead_code, reason = "this build compresses nothing"))]
    pub(super) compress_above: usize,
    pub(super) inflate_at_most: usize,
}

/// Below this a value is hardly smaller compressed, and the time for it is longer than that on the wire.
const COMPRESS_ABOVE: usize = 4096;

/// No sensible entry is larger.
const INFLATE_AT_MOST: usize = 64 << 20;

impl Format {
    /// Values are encoded by `codec`, and those of more than 4 kB compressed where the feature `compression` is on.
    pub const fn new(codec: Codec) -> Self {
        Self { codec, compress_above: COMPRESS_ABOVE, inflate_at_most: INFLATE_AT_MOST }
    }

    /// Compresses encoded values of more than so many bytes, where that makes them smaller; `usize::MAX` for none.
    #[cfg(feature = "compression")]
    #[must_use]
    pub const fn compress_above(mut self, bytes: usize) -> Self {
        self.compress_above = bytes;
        self
    }

    /// A compressed value that says it is larger than so many bytes is refused, unread. Default: 64 MiB.
    #[must_use]
    pub const fn inflate_at_most(mut self, bytes: usize) -> Self {
        self.inflate_at_most = bytes;
        self
    }
}

impl Default for Format {
    fn default() -> Self {
        Self::new(Codec::Postcard)
    }
}
