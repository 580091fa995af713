//! The order of a cache, as Redis keeps it: which epoch it is in, and how many tags were struck since that began.

/// A moment in a cache's life. Epochs are random and unordered: what is of another one is invalid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Order {
    pub(crate) epoch: u64,
    pub(crate) sequence: u64,
}

impl Order {
    /// Reads `<epoch in hex> <sequence>`; what is anything else was not written by larder.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (epoch, sequence) = std::str::from_utf8(text).ok()?.split_once(' ')?;
        Some(Self { epoch: u64::from_str_radix(epoch, 16).ok()?, sequence: sequence.parse().ok()? })
    }
}

/// A new epoch, as text. Never zero, which stands for "not known".
pub(crate) fn new_epoch() -> String {
    format!("{:016x}", fastrand::u64(1..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_scripts_write_and_nothing_else() {
        let order = Order { epoch: 0xabc, sequence: 7 };
        assert_eq!(Order::parse(b"0000000000000abc 7"), Some(order));
        for other in [&b""[..], b"abc", b"xyz 7", b"abc -1", b"abc 7 8", b"\xff 1"] {
            assert_eq!(Order::parse(other), None, "{other:?}");
        }
    }
}
