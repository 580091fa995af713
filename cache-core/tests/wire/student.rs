//! A value with a bit of everything, and how the tests of the wire form put it into an envelope.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cache_core::wire::{self, Codec, Decoded, Envelope, Format, Header, Order};
use cache_core::{Kind, Lifetime, Origin, Result, Value};
use serde::{Deserialize, Serialize};

pub(crate) const CODECS: [Codec; 3] = [Codec::Postcard, Codec::Json, Codec::Bincode];

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Student {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) marks: Vec<Mark>,
    pub(crate) home: Option<Address>,
    pub(crate) notes: BTreeMap<String, i32>,
    pub(crate) mean: f64,
    pub(crate) mentor: Option<Box<Student>>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) enum Mark {
    Missed,
    Points(u16),
    Graded { by: char, grade: (i8, bool) },
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct Address(pub(crate) String, pub(crate) u32);

pub(crate) fn ada() -> Student {
    Student {
        id: 7,
        name: "Ada Lovelace".into(),
        marks: vec![Mark::Missed, Mark::Points(300), Mark::Graded { by: 'é', grade: (-2, true) }],
        home: Some(Address("St James's Square".into(), 12)),
        notes: [("Bernoulli".to_owned(), -1842)].into(),
        mean: 0.1 + 0.2,
        mentor: None,
    }
}

pub(crate) const ORDER: Order = Order { incarnation: 0x0102_0304_0506_0708, sequence: 1234 };

pub(crate) fn lifetime() -> Lifetime {
    Lifetime { fresh: Duration::from_secs(300), total: Duration::from_secs(360) }
}

pub(crate) fn tags() -> [Box<str>; 2] {
    ["students".into(), "école:7".into()]
}

pub(crate) fn encode(student: &Student, format: &Format) -> Result<Vec<u8>> {
    let (lifetime, tags) = (lifetime(), tags());
    let origin = Origin { cost: Duration::from_millis(25), version: 3, ..Origin::default() };
    let header = Header { order: ORDER, lifetime, origin, tags: &tags };
    wire::encode(&Value::new(Arc::new(student.clone())), &header, format)
}

/// What `bytes` hold, if it is a student.
pub(crate) fn decode(bytes: &[u8], format: &Format) -> Result<Option<Student>> {
    Ok(match Envelope::read(bytes)?.decode(Kind::of::<Student>(), format)? {
        Decoded::Value(value) => Some(Student::clone(&value.downcast::<Student>().expect("a student"))),
        Decoded::OtherShape | Decoded::OtherKind => None,
    })
}
