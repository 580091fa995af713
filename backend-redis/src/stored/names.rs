//! What things are called in Redis. The one place that knows it; the table stands in the crate's documentation.

use std::fmt::Write;

use cache_core::Pattern;

/// The names of one cache: of its namespace.
#[derive(Debug)]
pub(crate) struct Names {
    root: String,
    /// Whether they are spread over slots. Then a key and its companion bear what makes them share one.
    spread: bool,
}

/// A key and its companion, in one epoch.
pub(crate) struct Keys {
    pub(crate) entry: String,
    pub(crate) companion: String,
}

impl Names {
    pub(crate) fn new(namespace: &str, spread: bool) -> Self {
        Self { root: format!("larder:{namespace}:"), spread }
    }

    /// The order. It and the recent strikes share a slot.
    pub(crate) fn order(&self) -> String {
        format!("{}{{order}}", self.root)
    }

    pub(crate) fn recent(&self) -> String {
        format!("{}{{order}}:recent", self.root)
    }

    pub(crate) fn entry(&self, epoch: u64, key: &str) -> String {
        self.of(epoch, ":k:", key)
    }

    pub(crate) fn keys(&self, epoch: u64, key: &str) -> Keys {
        Keys { entry: self.entry(epoch, key), companion: self.of(epoch, ":c:", key) }
    }

    /// Who loads a key for the whole fleet.
    pub(crate) fn claim(&self, epoch: u64, key: &str) -> String {
        self.of(epoch, ":l:", key)
    }

    /// The channel on which those who wait for a load are told that it is over.
    pub(crate) fn channel(&self) -> String {
        format!("{}over", self.root)
    }

    fn of(&self, epoch: u64, letter: &str, key: &str) -> String {
        if self.spread {
            self.name(epoch, &format!(":{{{:04x}}}{letter}", short_hash(key)), key)
        } else {
            self.name(epoch, letter, key)
        }
    }

    pub(crate) fn mark(&self, epoch: u64, tag: &str) -> String {
        self.name(epoch, ":t:", tag)
    }

    fn name(&self, epoch: u64, letter: &str, rest: &str) -> String {
        let mut name = String::with_capacity(self.root.len() + 16 + letter.len() + rest.len());
        name.push_str(&self.root);
        // A string takes whatever is written.
        let _ = write!(name, "{epoch:016x}");
        name.push_str(letter);
        name.push_str(rest);
        name
    }

    /// The glob of the entries whose keys `pattern` matches.
    pub(crate) fn glob(&self, epoch: u64, pattern: &str) -> String {
        let start = format!("{}{epoch:016x}:", self.root);
        let slot = if self.spread { "{????}:" } else { "" };
        Pattern::literal_then(&start, &format!("{slot}k:{pattern}"))
    }

    /// The glob of all that an epoch holds.
    pub(crate) fn whole(&self, epoch: u64) -> String {
        Pattern::literal_then(&format!("{}{epoch:016x}:", self.root), "*")
    }

    /// The companion of an entry by the entry's own name, as a scan found it.
    pub(crate) fn companion_of(&self, entry: &[u8]) -> Vec<u8> {
        let mut name = entry.to_vec();
        // Root, 16 digits, a colon, what stands for the slot, the letter.
        let slot = if self.spread { 7 } else { 0 };
        if let Some(letter) = name.get_mut(self.root.len() + 17 + slot) {
            *letter = b'c';
        }
        name
    }
}

/// 16 bits of a key, which choose its slot: FNV-1a, folded.
fn short_hash(key: &str) -> u16 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let hash = key.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 16) ^ (hash >> 32) ^ (hash >> 48)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_and_its_companion_are_told_from_each_other_by_a_letter() {
        for spread in [false, true] {
            let names = Names::new("n", spread);
            for key in ["k", "k:c:", "{a}b", "é"] {
                let Keys { entry, companion } = names.keys(7, key);
                assert_eq!(names.companion_of(entry.as_bytes()), companion.as_bytes());
                let glob = Pattern::new(&names.glob(7, "*")).expect("a pattern");
                assert!(glob.matches(&entry) && !glob.matches(&companion), "{entry}");
            }
        }
        assert_eq!(Names::new("n", true).entry(7, "k"), "larder:n:0000000000000007:{32a4}:k:k");
    }
}
