//! What stands under a key: a header of fixed length, which scripts read and change in place, the tags, and the body.
//!
//! A counter is the exception: it is a plain integer, and its header stands under its companion.

use std::time::Duration;

use cache_core::Lifetime;

/// Bytes of the header.
pub(crate) const HEADER: usize = 76;
const MAGIC: &[u8] = b"LS\x01";

/// A lifetime of so many milliseconds, 35 000 years, has no end.
pub(crate) const FOREVER: u64 = 1 << 50;

/// Milliseconds, parts of one counting as a whole; from half of "for ever" on it is for ever.
pub(crate) fn millis(duration: Duration) -> u64 {
    let part = u64::from(duration.subsec_nanos().div_ceil(1_000_000));
    let ms = duration.as_secs().saturating_mul(1000).saturating_add(part);
    if ms >= FOREVER / 2 { FOREVER } else { ms }
}

fn duration(ms: u64) -> Duration {
    if ms >= FOREVER { Duration::MAX } else { Duration::from_millis(ms) }
}

/// What stands there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    /// A value.
    Entry,
    /// Nothing; the place is held by loads.
    Held,
    /// The header of a counter, under its companion.
    Counter,
    /// A counter that is stale, or that somebody loads: the body is its text.
    CounterInSlot,
}

/// The header. The leases of a value are numbers handed out in order: those up to `from` are void.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) state: State,
    /// Also tells this value from every other one.
    pub(crate) from: u64,
    /// Fresh for so many milliseconds after it was written.
    pub(crate) fresh: u64,
    /// Gone after so many.
    pub(crate) total: u64,
    /// Its age when that was written.
    pub(crate) before: u64,
    /// The sequence of the order when its load began, or when it was set.
    pub(crate) born: u64,
    /// Redis keeps it for so much longer than it may be served, for loads that hold its place.
    pub(crate) slack: u64,
    /// Bytes of the tags after it.
    pub(crate) tags: u32,
}

/// Scripts count in doubles, which are exact so far.
const EXACT: u64 = 1 << 53;

/// A random number for leases to begin after.
pub(crate) fn beginning() -> u64 {
    fastrand::u64(1..EXACT / 2)
}

impl Header {
    /// What is left of both deadlines, how long it has been stale, and its age, with `left` milliseconds of its life
    /// to go.
    pub(crate) fn times(&self, left: u64) -> (Lifetime, Duration, Duration) {
        let left = left.min(self.total);
        let over = self.total - left;
        let fresh = if self.fresh >= FOREVER { FOREVER } else { self.fresh.saturating_sub(over) };
        let left = if self.total >= FOREVER { FOREVER } else { left };
        let lifetime = Lifetime { fresh: duration(fresh), total: duration(left) };
        let stale = if fresh == 0 { over.saturating_sub(self.fresh) } else { 0 };
        (lifetime, Duration::from_millis(stale), Duration::from_millis(self.before.saturating_add(over)))
    }

    /// Reads a header, unless the tags that it speaks of are cut.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(MAGIC) || bytes.len() < HEADER {
            return None;
        }
        let state = match bytes[3] {
            b'E' => State::Entry,
            b'H' => State::Held,
            b'C' => State::Counter,
            b'N' => State::CounterInSlot,
            _ => return None,
        };
        let number = |at: usize| bytes[at..at + 8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let (fresh, total, before) = (number(28), number(36), number(44));
        // The lower half of the last eight bytes.
        let tags = number(68) as u32;
        if number(4) > number(12) || number(12) >= EXACT {
            return None;
        }
        let header =
            Self { state, from: number(4), fresh, total, before, born: number(52), slack: number(60), tags };
        (bytes.len() >= header.body()).then_some(header)
    }

    /// Where the body begins.
    pub(crate) fn body(&self) -> usize {
        HEADER + self.tags as usize
    }

    /// The tags in the bytes that it was read from; `None` if there are none to be read in them.
    pub(crate) fn tags(&self, bytes: &[u8]) -> Option<Vec<Box<str>>> {
        read_tags(bytes.get(HEADER..self.body())?)
    }

    /// The header of a value that nobody loads.
    pub(crate) fn write(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..3].copy_from_slice(MAGIC);
        bytes[3] = match self.state {
            State::Entry => b'E',
            State::Held => b'H',
            State::Counter => b'C',
            State::CounterInSlot => b'N',
        };
        let leases = [self.from; 3];
        let times = [self.fresh, self.total, self.before, self.born, self.slack];
        for (number, place) in leases.into_iter().chain(times).zip(bytes[4..].chunks_exact_mut(8)) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes[HEADER - 4..].copy_from_slice(&self.tags.to_be_bytes());
        bytes
    }
}

/// Tags, and how they stand in a slot.
#[derive(Debug, Default)]
pub(crate) struct Tags {
    pub(crate) names: Box<[Box<str>]>,
    pub(crate) bytes: Vec<u8>,
}

impl Tags {
    pub(crate) fn new(names: &[Box<str>]) -> Self {
        Self { names: names.into(), bytes: write_tags(names) }
    }
}

/// Tags as bytes: of each its length in two bytes, and its text.
pub(crate) fn write_tags(tags: &[Box<str>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for tag in tags {
        // A tag has 1024 bytes at most, and a namespace before it 257.
        bytes.extend_from_slice(&(tag.len() as u16).to_be_bytes());
        bytes.extend_from_slice(tag.as_bytes());
    }
    bytes
}

fn read_tags(mut bytes: &[u8]) -> Option<Vec<Box<str>>> {
    let mut tags = Vec::new();
    while let [high, low, rest @ ..] = bytes {
        let tag = rest.get(..usize::from(u16::from_be_bytes([*high, *low])))?;
        tags.push(std::str::from_utf8(tag).ok()?.into());
        bytes = &rest[tag.len()..];
    }
    bytes.is_empty().then_some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let (state, tags) = (State::Entry, slot().1);
        Header { state, from: 9, fresh: 100, total: 300, before: 5, born: 77, slack: 0, tags }
    }

    fn tags() -> Vec<Box<str>> {
        vec!["a".into(), "é:7".into()]
    }

    /// The tags and a body, and how many bytes the tags have.
    fn slot() -> (Vec<u8>, u32) {
        let tags = write_tags(&tags());
        let length = tags.len() as u32;
        ([tags, b"body".to_vec()].concat(), length)
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = [&header().write()[..], &slot().0].concat();
        let read = Header::read(&bytes).expect("a header");
        assert_eq!(read, header());
        assert_eq!(read.tags(&bytes).expect("tags"), tags());
        assert_eq!(&bytes[read.body()..], b"body");
    }

    #[test]
    fn whatever_the_bytes_nothing_panics() {
        let bytes = [&header().write()[..], &slot().0].concat();
        let look = |bytes: &[u8]| Header::read(bytes).and_then(|header| header.tags(bytes));
        for end in 0..bytes.len() {
            let _ = look(&bytes[..end]);
        }
        for at in 0..bytes.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = byte;
                let _ = look(&bytes);
            }
        }
    }

    #[test]
    fn times_follow_from_what_is_left() {
        let ms = Duration::from_millis;
        let (left, stale, age) = header().times(250);
        assert_eq!((left.fresh, left.total, stale, age), (ms(50), ms(250), ms(0), ms(55)));
        let (left, stale, _) = header().times(120);
        assert_eq!((left.fresh, left.total, stale), (ms(0), ms(120), ms(80)));
        let forever = Header { fresh: FOREVER, total: FOREVER, ..header() };
        let (left, _, age) = forever.times(FOREVER - 10);
        assert_eq!((left, age), (Lifetime::FOREVER, ms(15)));
    }

    #[test]
    fn durations_round_up_and_end_in_for_ever() {
        assert_eq!(millis(Duration::from_micros(1)), 1);
        assert_eq!(millis(Duration::MAX), FOREVER);
        assert_eq!(millis(Duration::from_secs(3_200_000_000)), 3_200_000_000_000);
    }
}
