//! What things are called in Redis. The one place that knows it; the table stands in the crate's documentation.

use std::fmt::Write;

use cache_core::Pattern;

/// The names of one cache: of its namespace.
#[derive(Debug)]
pub(crate) struct Names {
    root: String,
}

/// A key and its companion, in one epoch.
pub(crate) struct Keys {
    pub(crate) entry: String,
    pub(crate) companion: String,
}

impl Names {
    pub(crate) fn new(namespace: &str) -> Self {
        Self { root: format!("larder:{namespace}:") }
    }

    /// The order. It and the recent strikes share a slot.
    pub(crate) fn order(&self) -> String {
        format!("{}{{order}}", self.root)
    }

    pub(crate) fn recent(&self) -> String {
        format!("{}{{order}}:recent", self.root)
    }

    pub(crate) fn entry(&self, epoch: u64, key: &str) -> String {
        self.name(epoch, ":k:", key)
    }

    pub(crate) fn keys(&self, epoch: u64, key: &str) -> Keys {
        Keys { entry: self.entry(epoch, key), companion: self.name(epoch, ":c:", key) }
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
        Pattern::literal_then(&self.entry(epoch, ""), pattern)
    }

    /// The glob of all that an epoch holds.
    pub(crate) fn whole(&self, epoch: u64) -> String {
        Pattern::literal_then(&format!("{}{epoch:016x}:", self.root), "*")
    }

    /// The companion of an entry by the entry's own name, as a scan found it.
    pub(crate) fn companion_of(&self, entry: &[u8]) -> Vec<u8> {
        let mut name = entry.to_vec();
        // Root, 16 digits, a colon, the letter.
        if let Some(letter) = name.get_mut(self.root.len() + 17) {
            *letter = b'c';
        }
        name
    }
}
