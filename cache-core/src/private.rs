//! What macro expansions call. Not a stable interface.

mod call;
mod companion;
mod each;
mod handle;
mod judged;
mod number;
mod or_none;
mod portable;
mod shape;

pub use crate::engine::{Share, Writer};
pub use crate::key::check_template;
use crate::key::{Key, KeyBuilder, KeyPart, MAX_KEY_LEN};
pub use crate::runtime::block_on;

pub use call::{Ask, Call, run, run_sync};
pub use companion::{Returns, invalidate, mark_stale};
pub use each::{Elements, Keyed, compute, invalidate_each};
pub use handle::Handle;
pub use judged::{Judged, Keep};
pub use number::Number;
pub use or_none::OrNone;
pub use portable::cloned;
pub use shape::Shape;

/// The key that `write` writes.
pub fn made(write: impl FnOnce(&mut KeyBuilder)) -> Key {
    let mut key = KeyBuilder::new();
    write(&mut key);
    key.finish()
}

/// An argument as it will stand in a key, for where it is gone when the key is made.
pub fn text_of<P: KeyPart + ?Sized>(part: &P) -> String {
    let mut key = KeyBuilder::new();
    key.part(part);
    key.into_text()
}

/// Writes the path of the cached function whose companions hang on `F`. `plain` is what it is at the level of a module, where
/// it is one function's; those of two blocks of a function may have one path, so there it bears its `place`.
pub fn write_path<F>(key: &mut KeyBuilder, plain: &str, place: &str) {
    let path = std::any::type_name::<F>();
    key.text(path);
    // One begins with the other's modules, so those of one length are the same.
    if path.len() != plain.len() {
        key.text(place);
    }
}

/// A pattern made from a template. Keys are cut at 1024 bytes, so a longer pattern would match none of those that it
/// means: it is widened to what it begins with.
pub fn pattern(builder: KeyBuilder) -> String {
    let mut text = builder.into_text();
    if text.len() > MAX_KEY_LEN {
        let literal = text.find(['*', '?', '[', '\\']).unwrap_or(text.len());
        text.truncate(text.floor_char_boundary(literal.min(MAX_KEY_LEN - 34)));
        text.push('*');
    }
    text
}
