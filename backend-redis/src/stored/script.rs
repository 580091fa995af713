//! The scripts: what must happen at once in Redis. Each touches one slot.

use std::sync::LazyLock;

use redis::Cmd;

/// A script, and what Redis calls it.
pub(crate) struct Script {
    source: &'static str,
    hash: LazyLock<String>,
}

impl Script {
    /// The command that has Redis know it.
    pub(crate) fn load(&self) -> Cmd {
        redis::cmd("SCRIPT").arg("LOAD").arg(self.source).take()
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

        /// All of them.
        pub(crate) static ALL: &[&Script] = &[$(&$name),*];
    };
}

scripts! {
    LEASE: "slot", "claim", "lease";
    EXTEND: "slot", "claim", "extend";
    RELEASE: "slot", "claim", "release";
    STORE: "slot", "claim", "store";
    CHECK: "slot", "check";
    DELETE: "slot", "delete";
    SOFTEN: "slot", "soften";
    EXPIRE: "slot", "expire";
    INCR: "slot", "incr";
    MARKS: "mark", "marks";
    STRIKE: "mark", "strike";
    RENEW: "renew";
    NODE: "fleet", "node";
    ASK: "fleet", "ask";
    ASKED: "fleet", "asked";
    TOKEN: "fleet", "token";
}
