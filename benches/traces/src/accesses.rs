//! From a trace's bytes to its accesses.

use std::collections::HashMap;

use crate::Trace;
use crate::format::Format;

/// A trace of more accesses than this is refused: one broken line could otherwise ask for all memory.
const MOST: usize = 1 << 30;

#[derive(Default)]
struct Keys<'b> {
    numbers: HashMap<Key<'b>, u32>,
    accesses: Vec<u32>,
}

/// In one trace all keys are of one kind.
#[derive(PartialEq, Eq, Hash)]
enum Key<'b> {
    Text(&'b [u8]),
    Number(u64),
}

/// The accesses, or what is wrong with them.
pub(crate) fn parse(bytes: &[u8], format: Format) -> Result<Trace, String> {
    let mut keys = Keys::default();
    match format {
        Format::Arc => keys.blocks(bytes)?,
        Format::Lines => keys.lines(bytes),
        Format::Binary(width) => keys.integers(bytes, width)?,
    }
    Ok(Trace { accesses: keys.accesses, unique_keys: keys.numbers.len() as u32 })
}

impl<'b> Keys<'b> {
    fn access(&mut self, key: Key<'b>) {
        let next = self.numbers.len() as u32;
        self.accesses.push(*self.numbers.entry(key).or_insert(next));
    }

    fn lines(&mut self, bytes: &'b [u8]) {
        for line in bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
            if !line.is_empty() && line != b"*" {
                self.access(Key::Text(line));
            }
        }
    }

    fn blocks(&mut self, bytes: &[u8]) -> Result<(), String> {
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)) {
            if line.is_empty() {
                continue;
            }
            let (start, count) = block(line).ok_or_else(|| {
                format!("line {number} is not of the form `start_block count ignore request_no`")
            })?;
            if count > (MOST - self.accesses.len()) as u64 {
                return Err(format!("line {number} makes it longer than {MOST} accesses"));
            }
            for block in start..start.saturating_add(count) {
                self.access(Key::Number(block));
            }
        }
        Ok(())
    }

    fn integers(&mut self, bytes: &[u8], width: usize) -> Result<(), String> {
        let integers = bytes.chunks_exact(width);
        if !integers.remainder().is_empty() {
            return Err(format!("it holds {} bytes, not integers of {width} bytes each", bytes.len()));
        }
        for integer in integers {
            self.access(Key::Number(integer.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))));
        }
        Ok(())
    }
}

fn block(line: &[u8]) -> Option<(u64, u64)> {
    let mut fields = std::str::from_utf8(line).ok()?.split_whitespace();
    let block = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    fields.all(|field| field.parse::<u64>().is_ok()).then_some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accesses(bytes: &[u8], format: Format) -> Vec<u32> {
        parse(bytes, format).expect("a good trace").accesses
    }

    #[test]
    fn each_format_is_read() {
        assert_eq!(accesses(b"5\r\n7\r\n*\r\n\r\n5", Format::Lines), [0, 1, 0]);
        assert_eq!(accesses(b"10 3 0 1\n11 1 0 2\n", Format::Arc), [0, 1, 2, 1]);
        assert_eq!(accesses(&[0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 0, 9], Format::Binary(4)), [0, 1, 0]);
        assert_eq!(accesses(&[0, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0, 9], Format::Binary(8)), [0, 1]);
    }

    #[test]
    fn what_is_broken_is_an_error() {
        for (bytes, format) in [
            (&b"10 3 0 1\n11"[..], Format::Arc),
            (b"10 x 0 1", Format::Arc),
            (b"0 99999999999 0 1", Format::Arc),
            (&[0, 0, 0, 9, 1], Format::Binary(4)),
        ] {
            assert!(parse(bytes, format).is_err(), "{bytes:?}");
        }
    }
}
