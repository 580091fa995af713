//! An entry in `json` is read by another language, with nothing but its standard library.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::student::{Student, ada, encode};
use cache_core::wire::{Codec, Format};

/// What `docs/read_entry.py` says of an entry.
fn read(entry: &[u8]) -> serde_json::Value {
    let output = run(entry);
    assert!(output.status.success(), "python could not read the entry");
    serde_json::from_slice(&output.stdout).expect("the script prints json")
}

fn run(entry: &[u8]) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/read_entry.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 is installed; this test reads an entry with it");
    let mut stdin = python.stdin.take().expect("is piped");
    stdin.write_all(entry).expect("python reads to the end");
    drop(stdin);
    python.wait_with_output().expect("python ends")
}

/// An entry as it stands in Redis: header and tags of the slot by `docs/wire-format.md`, then the envelope.
fn slot(state: u8, body: &[u8]) -> Vec<u8> {
    let mut tags = Vec::new();
    for tag in ["users", "école:7"] {
        tags.extend_from_slice(&(tag.len() as u16).to_be_bytes());
        tags.extend_from_slice(tag.as_bytes());
    }
    let mut slot = vec![b'L', b'S', 1, state];
    // Three numbers of leases; fresh for, lives for, age before, sequence, slack.
    for number in [9_u64, 11, 9, 250_000, 360_000, 50_000, 77, 600_000] {
        slot.extend_from_slice(&number.to_be_bytes());
    }
    slot.extend_from_slice(&1_u32.to_be_bytes());
    slot.extend_from_slice(&(tags.len() as u32).to_be_bytes());
    assert_eq!(slot.len(), 76);
    [&slot[..], &tags, body, b"\n"].concat()
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

#[test]
fn python_reads_what_stands_in_redis() {
    let envelope = encode(&ada(), &Format::new(Codec::Json)).expect("encodes");
    let told = read(&slot(b'E', &envelope));
    assert_eq!((&told["kind"], &told["codec"]), (&"wire::student::Student".into(), &"json".into()));
    // The slot's, not those of the envelope.
    assert_eq!(told["tags"], serde_json::json!(["users", "école:7"]));
    let times = [&told["fresh_ms"], &told["total_ms"], &told["age_before_ms"], &told["sequence"]];
    assert_eq!(times, [250_000, 360_000, 50_000, 77]);
    assert_eq!(serde_json::from_value::<Student>(told["value"].clone()).expect("is the value"), ada());

    assert_eq!(read(b"-42\n")["counter"], -42);
    assert_eq!(read(&slot(b'N', b"42"))["counter"], 42);
}

#[test]
fn python_says_what_it_cannot_read() {
    let envelope = encode(&ada(), &Format::new(Codec::Postcard)).expect("encodes");
    let output = run(&slot(b'E', &envelope));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the script prints json");
    assert_eq!((&told["codec"], told.get("value")), (&"postcard".into(), None));
    assert!(String::from_utf8_lossy(&output.stderr).contains("postcard, not json"));

    let stored = Student { mentor: Some(Box::new(ada())), ..ada() };
    let json = encode(&stored, &Format::new(Codec::Json).compress_above(0)).expect("encodes");
    let mut damaged = slot(b'E', &json);
    let end = damaged.len() - 12;
    damaged[end..].fill(255);
    let mut cannot = vec![
        (slot(b'H', b""), "a load holds the place"),
        (b"hello".to_vec(), "nothing that larder"),
        (b"\n".to_vec(), "is there such a name"),
        (damaged, "damaged"),
    ];
    // In the header, the tags, the envelope's header, its kind, its value.
    for end in [10, 80, 110, 170, slot(b'E', &json).len() - 5] {
        cannot.push((slot(b'E', &json)[..end].to_vec(), "is cut off: it has"));
    }
    for (bytes, why) in cannot {
        let output = run(&bytes);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why) && !said.contains("Traceback"), "{said}");
    }
}
