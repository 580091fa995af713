//! An entry in `json` is read by another language, with nothing but its standard library.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::student::{Student, ada, encode};
use cache_core::wire::{Codec, Format};

/// What `docs/read_entry.py` says of an entry.
fn read(entry: &[u8]) -> serde_json::Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/read_entry.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed; this test reads an entry with it");
    let mut stdin = python.stdin.take().expect("is piped");
    stdin.write_all(entry).expect("python reads to the end");
    drop(stdin);
    let output = python.wait_with_output().expect("python ends");
    assert!(output.status.success(), "python could not read the entry");
    serde_json::from_slice(&output.stdout).expect("the script prints json")
}

#[test]
fn python_reads_an_entry() {
    let stored = Student { mentor: Some(Box::new(ada())), ..ada() };
    for (above, compressed) in [(usize::MAX, 0), (0, 1)] {
        let mut entry = encode(&stored, &Format::new(Codec::Json).compress_above(above)).expect("encodes");
        assert_eq!(entry[6], compressed);
        // As redis-cli does.
        entry.push(b'\n');
        let told = read(&entry);
        assert_eq!(told["kind"], "wire::student::Student");
        assert_eq!(told["order"], serde_json::json!([0x0102_0304_0506_0708_u64, 1234]));
        assert_eq!((&told["fresh_ms"], &told["stale_ms"]), (&300_000.into(), &60_000.into()));
        assert_eq!((&told["version"], &told["cost_ms"]), (&3.into(), &25.into()));
        assert_eq!(told["tags"], serde_json::json!(["students", "école:7"]));
        let value: Student = serde_json::from_value(told["value"].clone()).expect("is the value");
        assert_eq!(value, stored);
    }
}
