//! The scripts: what must happen at once in Redis. Each touches one slot.

use std::sync::LazyLock;

use redis::Script;

macro_rules! scripts {
    ($($name:ident: $($file:literal),+;)*) => {
        $(pub(crate) static $name: LazyLock<Script> =
            LazyLock::new(|| Script::new(concat!($(include_str!(concat!("scripts/", $file, ".lua"))),+)));)*
    };
}

scripts! {
    LEASE: "slot", "lease";
    RELEASE: "slot", "release";
    STORE: "slot", "store";
    DELETE: "slot", "delete";
    SOFTEN: "slot", "soften";
    EXPIRE: "slot", "expire";
    INCR: "slot", "incr";
    MARK: "slot", "mark";
    STRIKE: "strike";
    STRUCK: "struck";
    RENEW: "renew";
}
