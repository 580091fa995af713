//! Where what stands in an envelope of format version 1, as in `docs/wire-format.md`. Integers are little-endian.

use std::time::Duration;

use crate::deadline::Lifetime;
use crate::error::{Error, ErrorKind, Result};

/// No text begins so, and no integer of the store.
pub(super) const MAGIC: [u8; 4] = [0xFA, b'l', b'r', b'd'];
pub(super) const VERSION: u8 = 1;
pub(super) const FLAGS_AT: usize = 6;
/// Where the order stands in every envelope: the incarnation, then the sequence, eight bytes each.
pub const ORDER_AT: usize = 8;
/// Where the lifetimes stand in every envelope: fresh-for, then stale-for, eight bytes each.
pub const LIFETIME_AT: usize = 24;
pub(super) const PAYLOAD_LEN_AT: usize = 56;
pub(super) const TAG_COUNT_AT: usize = 60;

/// The payload is compressed.
pub(super) const COMPRESSED: u8 = 1;
/// It is not for memory in front of the remote tier.
pub(super) const SKIPS_L1: u8 = 2;

/// Stands for "for ever".
const FOREVER: u64 = u64::MAX;

/// What `Duration` a number of milliseconds stands for.
pub(super) const fn duration(ms: u64) -> Duration {
    if ms == FOREVER { Duration::MAX } else { Duration::from_millis(ms) }
}

/// In whole milliseconds; a part of one counts as a whole, as everywhere in larder.
pub(super) fn millis(duration: Duration) -> u64 {
    let part = duration.subsec_nanos().div_ceil(1_000_000);
    duration.as_secs().saturating_mul(1000).saturating_add(part.into())
}

/// Fresh-for and stale-for.
pub(super) fn lifetimes(lifetime: Lifetime) -> [u64; 2] {
    let (fresh, total) = (millis(lifetime.fresh), millis(lifetime.total));
    let stale = if total == FOREVER { FOREVER } else { total.saturating_sub(fresh) };
    [fresh, stale]
}

/// Puts two numbers at a place that every envelope has.
pub(super) fn put_pair(envelope: &mut [u8], at: usize, pair: [u64; 2]) {
    envelope[at..at + 8].copy_from_slice(&pair[0].to_le_bytes());
    envelope[at + 8..at + 16].copy_from_slice(&pair[1].to_le_bytes());
}

/// The next bytes of an envelope.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(|| damaged("it is cut"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| damaged("it is cut"))?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(super) fn text(&mut self, length: usize) -> Result<&'a str> {
        str::from_utf8(self.take(length)?).map_err(|e| damaged("a text in it is no UTF-8").with_source(e))
    }
}

#[cold]
pub(super) fn damaged(what: &str) -> Error {
    Error::new(ErrorKind::Codec, format!("cannot read an entry's envelope: {what}"))
}
