//! What a codec cannot carry is refused in words that help.

use std::collections::HashMap;
use std::sync::Arc;

use cache_core::wire::{self, Codec, Format, Header, Order};
use cache_core::{ErrorKind, Lifetime, Local, Origin, Result, Value};
use serde::{Deserialize, Serialize};

use crate::{entry, plain, value, versioned};

#[test]
fn what_does_not_fit_says_so() {
    let refused = |result: Result<Vec<u8>>, words: &str| {
        let error = result.expect_err(words);
        assert_eq!(error.kind(), ErrorKind::Codec);
        assert!(error.to_string().contains(words), "{error}");
    };
    refused(entry(Local(5_u8), &Format::default()), "`Local`");
    refused(entry(vec![(), ()], &Format::default()), "sequence of nothings");
    refused(entry(Some(Some(5_u8)), &plain(Codec::Json)), "`null`");
    refused(entry(HashMap::from([((1_u8, 2_u8), 3_u8)]), &plain(Codec::Json)), "cannot encode");
    let many: Vec<Box<str>> = (0..70_000).map(|n| n.to_string().into()).collect();
    let (lifetime, origin) = (Lifetime::FOREVER, Origin::default());
    let header = Header { order: Order::default(), lifetime, origin, tags: &many };
    refused(wire::encode(&Value::new(Arc::new(5_u8)), &header, &Format::default()), "70000 tags");
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Text(String),
}

/// Which no sample passes.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
struct Password(String);

impl Clone for Password {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl From<Password> for String {
    fn from(password: Password) -> Self {
        password.0
    }
}

impl TryFrom<String> for Password {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        if text.len() > 200 { Ok(Self(text)) } else { Err("too short") }
    }
}

#[test]
fn what_cannot_be_traced_needs_json_or_a_version() {
    let texts = || vec![Untagged::Text("a".into()), Untagged::Number(5)];
    assert_eq!(*value::<Vec<Untagged>>(&entry(texts(), &plain(Codec::Json)).expect("encodes")), texts());
    let password = || vec![Password("x".repeat(300))];
    for codec in [Codec::Postcard, Codec::Bincode] {
        let error = versioned(texts(), 1, &plain(codec)).expect_err("no version helps here").to_string();
        assert!(error.contains("use the codec `json`") && error.contains("what is there"), "{error}");
        let error = entry(password(), &plain(codec)).expect_err("cannot be traced").to_string();
        assert!(error.contains("`version`") && error.contains("too short"), "{error}");
        let bytes = versioned(password(), 1, &plain(codec)).expect("encodes with a version");
        assert_eq!(*value::<Vec<Password>>(&bytes), password());
    }
}

#[test]
fn what_would_not_come_back_as_it_went_is_refused() {
    #[derive(Deserialize, Serialize)]
    struct Left {
        #[serde(skip_serializing_if = "Option::is_none")]
        out: Option<()>,
        bytes: Vec<u8>,
        n: u8,
    }
    #[derive(Deserialize, Serialize)]
    struct Unwritten {
        #[serde(skip_serializing, default)]
        secret: u8,
        bytes: Vec<u8>,
    }
    let left = || Left { out: None, bytes: vec![0], n: 5 };
    let unwritten = || Unwritten { secret: 9, bytes: vec![0] };
    for codec in [Codec::Postcard, Codec::Bincode] {
        // Each of these would be read as another value, without an error.
        let error = format!("{:?}", entry(left(), &plain(codec)).expect_err("a field is missing"));
        assert!(error.contains("`Left` is written with 2 fields"), "{error}");
        let error = format!("{:?}", entry(unwritten(), &plain(codec)).expect_err("a field is missing"));
        assert!(error.contains("`Unwritten` is written with 1 fields"), "{error}");
        assert_eq!(*value::<f64>(&entry(f64::INFINITY, &plain(codec)).expect("encodes")), f64::INFINITY);
        // How many fields there are is not known of what cannot be traced.
        let value = (Password("x".repeat(300)), left());
        let error = format!("{:?}", versioned(value, 1, &plain(codec)).expect_err("a field is missing"));
        assert!(error.contains("`out` is left out"), "{error}");
        entry(Left { out: Some(()), ..left() }, &plain(codec)).expect("nothing is left out");
    }
    let written = entry(unwritten(), &plain(Codec::Json)).expect("has names");
    assert_eq!(value::<Unwritten>(&written).secret, 0);
    let error = format!("{:?}", entry(vec![Some(f64::NAN)], &plain(Codec::Json)).expect_err("would be None"));
    assert!(error.contains("not a number"), "{error}");
}
