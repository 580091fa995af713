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

impl Order {
    /// Whether it was made on another server than this one, as [`server`] knows them apart. Then it may be an old one:
    /// what this one remembers from its disk, or from a primary that died, may lack what was invalidated since.
    pub(crate) fn is_foreign_to(self, server: u32) -> bool {
        server != 0 && (self.epoch >> 32) as u32 != server
    }
}

/// What stands for a server in the epochs that are made there, from the number that it draws each time that it starts.
/// Zero if that is not known.
pub(crate) fn server(run_id: Option<&str>) -> u32 {
    run_id.and_then(|id| u32::from_str_radix(id.get(..8)?, 16).ok()).unwrap_or(0)
}

/// A new epoch on that server, as text. Never zero, which stands for "not known".
pub(crate) fn new_epoch(server: u32) -> String {
    let high = if server == 0 { fastrand::u32(1..) } else { server };
    format!("{high:08x}{:08x}", fastrand::u32(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_of_the_server_that_it_was_made_on() {
        let of = |server| Order::parse(format!("{} 0", new_epoch(server)).as_bytes()).expect("an order");
        let (one, other) = (server(Some("00ab12cd99")), server(Some("ffab12cd99")));
        assert!(!of(one).is_foreign_to(one) && of(one).is_foreign_to(other));
        for unknown in [None, Some("short"), Some("no number")] {
            assert!(!of(one).is_foreign_to(server(unknown)) && of(server(unknown)).epoch != 0);
        }
    }

    #[test]
    fn reads_what_the_scripts_write_and_nothing_else() {
        let order = Order { epoch: 0xabc, sequence: 7 };
        assert_eq!(Order::parse(b"0000000000000abc 7"), Some(order));
        for other in [&b""[..], b"abc", b"xyz 7", b"abc -1", b"abc 7 8", b"\xff 1"] {
            assert_eq!(Order::parse(other), None, "{other:?}");
        }
    }
}
