//! The bodies of the fuzz targets, as plain functions of bytes: `cargo fuzz` calls them, and so does the smoke test.
//! Each panics where a property does not hold.
#![forbid(unsafe_code)]

mod envelopes;
mod keys;
mod operations;
mod patterns;

pub use envelopes::envelopes;
pub use keys::keys;
pub use operations::operations;
pub use patterns::patterns;

/// Text in which what matters to keys and patterns is frequent: a byte is a letter of this alphabet, or itself.
fn text(input: &mut arbitrary::Unstructured<'_>, most: usize) -> arbitrary::Result<String> {
    const ALPHABET: [char; 16] =
        ['a', 'b', ':', '*', '?', '[', ']', '\\', '%', '^', '-', '{', '}', ';', '\n', 'é'];
    let length = input.int_in_range(0..=most)?;
    let mut text = String::new();
    for byte in input.bytes(length.min(input.len()))? {
        text.push(ALPHABET.get(usize::from(*byte)).copied().unwrap_or(char::from(*byte)));
    }
    Ok(text)
}
