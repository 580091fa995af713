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
#[derive(Clone, Debug)]
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
    pub(crate) tags: Vec<Box<str>>,
}

/// A random number for leases to begin after. Scripts count in doubles, which are exact so far.
pub(crate) fn beginning() -> u64 {
    fastrand::u64(1..1 << 52)
}

impl Header {
    /// What is left of both deadlines, how long it has been stale, and its age, with `left` milliseconds of its life
    /// to go (`None`: for ever, so somebody else has taken its end away).
    pub(crate) fn times(&self, left: Option<u64>) -> (Lifetime, Duration, Duration) {
        let left = left.unwrap_or(self.total).min(self.total);
        let over = self.total - left;
        let fresh = if self.fresh >= FOREVER { FOREVER } else { self.fresh.saturating_sub(over) };
        let left = if self.total >= FOREVER { FOREVER } else { left };
        let lifetime = Lifetime { fresh: duration(fresh), total: duration(left) };
        let stale = if fresh == 0 { over.saturating_sub(self.fresh) } else { 0 };
        (lifetime, Duration::from_millis(stale), Duration::from_millis(self.before.saturating_add(over)))
    }

    /// Reads a header and the tags after it, and says where the body begins.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
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
        let tags_end = HEADER + (number(68) & u64::from(u32::MAX)) as usize;
        let tags = read_tags(bytes.get(HEADER..tags_end)?)?;
        let (fresh, total, before) = (number(28), number(36), number(44));
        Some((
            Self { state, from: number(4), fresh, total, before, born: number(52), slack: number(60), tags },
            tags_end,
        ))
    }

    /// The header of a value that nobody loads.
    pub(crate) fn write(&self, tags: &[u8], body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + tags.len() + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.push(match self.state {
            State::Entry => b'E',
            State::Held => b'H',
            State::Counter => b'C',
            State::CounterInSlot => b'N',
        });
        let leases = [self.from; 3];
        let times = [self.fresh, self.total, self.before, self.born, self.slack];
        for number in leases.into_iter().chain(times) {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&0_u32.to_be_bytes());
        bytes.extend_from_slice(&(tags.len() as u32).to_be_bytes());
        bytes.extend_from_slice(tags);
        bytes.extend_from_slice(body);
        bytes
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
        let tags = vec!["a".into(), "é:7".into()];
        Header { state: State::Entry, from: 9, fresh: 100, total: 300, before: 5, born: 77, slack: 0, tags }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = header().write(&write_tags(&header().tags), b"body");
        let (read, body) = Header::read(&bytes).expect("a header");
        assert_eq!(format!("{read:?}"), format!("{:?}", header()));
        assert_eq!(&bytes[body..], b"body");
    }

    #[test]
    fn whatever_the_bytes_nothing_panics() {
        let bytes = header().write(&write_tags(&header().tags), b"body");
        for end in 0..bytes.len() {
            let _ = Header::read(&bytes[..end]);
        }
        for at in 0..bytes.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = byte;
                let _ = Header::read(&bytes);
            }
        }
    }

    #[test]
    fn times_follow_from_what_is_left() {
        let ms = Duration::from_millis;
        let (left, stale, age) = header().times(Some(250));
        assert_eq!((left.fresh, left.total, stale, age), (ms(50), ms(250), ms(0), ms(55)));
        let (left, stale, _) = header().times(Some(120));
        assert_eq!((left.fresh, left.total, stale), (ms(0), ms(120), ms(80)));
        let forever = Header { fresh: FOREVER, total: FOREVER, ..header() };
        let (left, _, age) = forever.times(Some(FOREVER - 10));
        assert_eq!((left, age), (Lifetime::FOREVER, ms(15)));
    }

    #[test]
    fn durations_round_up_and_end_in_for_ever() {
        assert_eq!(millis(Duration::from_micros(1)), 1);
        assert_eq!(millis(Duration::MAX), FOREVER);
        assert_eq!(millis(Duration::from_secs(3_200_000_000)), 3_200_000_000_000);
    }
}
