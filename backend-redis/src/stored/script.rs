//! The scripts: what must happen at once in Redis. Each touches one slot.

use std::sync::LazyLock;

/// A script, and what Redis calls it.
pub(crate) struct Script {
    source: &'static str,
    hash: LazyLock<String>,
}

impl Script {
    pub(crate) fn source(&self) -> &'static str {
        self.source
    }

    /// Its SHA-1, in hex.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }
}

macro_rules! scripts {
    ($($name:ident: $($file:literal),+;)*) => {
        $(pub(crate) static $name: Script = {
            const SOURCE: &str = concat!($(include_str!(concat!("scripts/", $file, ".lua"))),+);
            Script { source: SOURCE, hash: LazyLock::new(|| redis::Script::new(SOURCE).get_hash().to_owned()) }
        };)*
    };
}

scripts! {
    LEASE: "slot", "claim", "lease";
    EXTEND: "slot", "claim", "extend";
    RELEASE: "slot", "claim", "release";
    STORE: "slot", "claim", "store";
    DELETE: "slot", "delete";
    SOFTEN: "slot", "soften";
    EXPIRE: "slot", "expire";
    INCR: "slot", "incr";
    MARK: "slot", "mark";
    STRIKE: "strike";
    STRUCK: "struck";
    RENEW: "renew";
}
