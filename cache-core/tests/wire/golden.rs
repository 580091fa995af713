//! Envelopes of every released format, kept as files and still read. `docs/wire-format.md` shows one byte by byte.
//!
//! A file is never changed or deleted. `LARDER_GOLDEN=write cargo test -p cache-core --test wire` adds those that are
//! missing, for a new format or codec.

use std::fs;
use std::path::PathBuf;

use crate::student::{CODECS, ORDER, Student, ada, decode, encode, lifetime, tags};
use cache_core::wire::{Codec, Envelope, Format};

/// The files of the format that is written now, and how each is made.
fn written() -> Vec<(String, Format)> {
    let named = |codec: Codec| format!("v1-{codec:?}").to_lowercase();
    let plain = CODECS.map(|codec| (format!("{}.bin", named(codec)), Format::new(codec)));
    let packed =
        CODECS.map(|codec| (format!("{}-lz4.bin", named(codec)), Format::new(codec).compress_above(0)));
    plain.into_iter().chain(packed).collect()
}

/// Long enough to be worth compressing.
fn stored() -> Student {
    Student { mentor: Some(Box::new(ada())), ..ada() }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

#[test]
fn every_file_is_still_read() {
    let files = fs::read_dir(folder()).expect("is there");
    let mut read = 0;
    for file in files {
        let path = file.expect("can be listed").path();
        let bytes = fs::read(&path).expect("can be read");
        let envelope = Envelope::read(&bytes).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!((envelope.order, envelope.lifetime), (ORDER, lifetime()), "{path:?}");
        assert_eq!((envelope.origin.version, envelope.origin.cost.as_millis()), (3, 25), "{path:?}");
        assert!(envelope.tags().eq(tags().iter().map(|tag| &**tag)), "{path:?}");
        let value = decode(&bytes, &Format::default()).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(value, Some(stored()), "{path:?}");
        read += 1;
    }
    assert!(read >= written().len(), "only {read} files");
}

#[test]
fn what_is_written_now_is_as_it_was() {
    for (name, format) in written() {
        let (path, bytes) = (folder().join(&name), encode(&stored(), &format).expect("encodes"));
        if !path.exists() && std::env::var_os("LARDER_GOLDEN").is_some_and(|what| what == "write") {
            fs::write(&path, &bytes).expect("can be written");
        }
        let golden = fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        assert_eq!(golden[6] == 1, name.contains("lz4"), "{name}: compressed or not");
        // What a compressor makes of a value is its own business, and may change.
        if !name.contains("lz4") {
            assert_eq!(bytes, golden, "{name}: a new layout needs a new format version");
        }
    }
}

/// Bytes in hexadecimal at the beginning of each line; `--` is any.
#[test]
fn the_document_shows_a_file_as_it_is() {
    let document = include_str!("../../../docs/wire-format.md");
    let (_, example) = document.split_once("byte by byte\n").expect("an example");
    let example = example.split("```").nth(1).expect("in a block");
    let shown = example.lines().flat_map(|line| {
        let bytes = line.split("     ").next().unwrap_or_default();
        let words = bytes.split(' ').filter(|word| !word.is_empty());
        words.map_while(
            |word| if word == "--" { Some(None) } else { u8::from_str_radix(word, 16).ok().map(Some) },
        )
    });
    let golden = fs::read(folder().join("v1-json.bin")).expect("is there");
    let mut compared = 0;
    for (at, (shown, byte)) in shown.zip(&golden).enumerate() {
        assert!(shown.is_none_or(|shown| shown == *byte), "at {at}: {shown:02x?}, {byte:02x}");
        compared += 1;
    }
    assert!(compared > 100, "only {compared} bytes");
}
