//! The wire form: what goes in comes out, other kinds and shapes are told apart, and no bytes do harm.

mod student;

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use cache_core::wire::{self, Codec, Decoded, Envelope, Format, Header, Order};
use cache_core::{Cacheable, ErrorKind, Kind, Lifetime, Local, Origin, Result, Value};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use student::{Address, CODECS, Mark, Student, ada, decode, encode};

fn plain(codec: Codec) -> Format {
    Format::new(codec)
}

/// An envelope without anything special about it.
fn entry<T: Cacheable>(value: T, format: &Format) -> Result<Vec<u8>> {
    versioned(value, 0, format)
}

fn versioned<T: Cacheable>(value: T, version: u32, format: &Format) -> Result<Vec<u8>> {
    let origin = Origin { cost: Duration::ZERO, version };
    let header = Header { order: Order::default(), lifetime: Lifetime::FOREVER, origin, tags: &[] };
    wire::encode(&Value::new(Arc::new(value)), &header, format)
}

fn decoded<T: Cacheable>(bytes: &[u8]) -> Result<Decoded> {
    Envelope::read(bytes)?.decode(Kind::of::<T>(), &Format::default())
}

fn value<T: Cacheable>(bytes: &[u8]) -> Arc<T> {
    match decoded::<T>(bytes) {
        Ok(Decoded::Value(value)) => value.downcast().expect("of this kind"),
        other => panic!("no value: {other:?}"),
    }
}

#[test]
fn an_envelope_says_what_it_was_told() {
    for codec in CODECS {
        let bytes = encode(&ada(), &plain(codec)).expect("encodes");
        let envelope = Envelope::read(&bytes).expect("reads");
        assert_eq!((envelope.order, envelope.codec), (student::ORDER, codec));
        assert_eq!(envelope.lifetime, student::lifetime());
        assert_eq!(envelope.origin, Origin { cost: Duration::from_millis(25), version: 3 });
        assert_eq!(envelope.kind(), "wire::student::Student");
        assert_eq!(envelope.tags().collect::<Vec<_>>(), ["students", "école:7"]);
        assert_eq!(decode(&bytes, &plain(codec)).expect("decodes"), Some(ada()));
        assert!(!format!("{envelope:?}").contains("Ada"), "no value in Debug");
    }
}

#[test]
fn the_order_can_be_set_later() {
    let mut bytes = entry(5_u8, &Format::default()).expect("encodes");
    let order = Order { incarnation: u64::MAX, sequence: 1 };
    wire::set_order(&mut bytes, order);
    assert_eq!(Envelope::read(&bytes).expect("reads").order, order);
    assert_eq!(*value::<u8>(&bytes), 5);
}

#[test]
fn lifetimes_are_whole_milliseconds_and_for_ever_stays_for_ever() {
    let [ms, long] = [Duration::from_millis(1), Duration::from_secs(u64::MAX / 1000 - 5)];
    for (fresh, total, read) in [
        (Duration::from_nanos(1), Duration::from_nanos(1), (ms, ms)),
        (ms, ms * 3, (ms, ms * 3)),
        (ms, Duration::MAX, (ms, Duration::MAX)),
        (Duration::MAX, Duration::MAX, (Duration::MAX, Duration::MAX)),
        (long, long, (long, long)),
    ] {
        let lifetime = Lifetime { fresh, total };
        let header = Header { order: Order::default(), lifetime, origin: Origin::default(), tags: &[] };
        let bytes = wire::encode(&Value::new(Arc::new(1_u8)), &header, &Format::default()).expect("encodes");
        let found = Envelope::read(&bytes).expect("reads").lifetime;
        assert_eq!((found.fresh, found.total), read);
    }
}

#[test]
fn the_age_is_told_by_what_is_left() {
    let ms = Duration::from_millis;
    let told = |fresh, total, left| {
        let lifetime = Lifetime { fresh, total };
        let header = Header { order: Order::default(), lifetime, origin: Origin::default(), tags: &[] };
        let bytes = wire::encode(&Value::new(Arc::new(1_u8)), &header, &Format::default()).expect("encodes");
        Envelope::read(&bytes)
            .expect("reads")
            .left(left)
            .map(|aged| (aged.left.fresh, aged.left.total, aged.stale_for, aged.age))
    };
    assert_eq!(told(ms(100), ms(150), ms(150)), Some((ms(100), ms(150), ms(0), ms(0))));
    assert_eq!(told(ms(100), ms(150), ms(60)), Some((ms(10), ms(60), ms(0), ms(90))));
    assert_eq!(told(ms(100), ms(150), ms(20)), Some((ms(0), ms(20), ms(30), ms(130))));
    assert_eq!(told(ms(100), ms(150), ms(0)), None, "expired");
    assert_eq!(told(ms(100), ms(150), ms(151)), None, "somebody lengthened it");
    let century = ms(wire::expiry(Lifetime::FOREVER));
    assert_eq!(century, Duration::from_secs(100 * 365 * 86_400));
    let max = Duration::MAX;
    assert_eq!(told(max, max, century - ms(5)), Some((max, max, ms(0), ms(5))));
    assert_eq!(told(ms(3), max, century - ms(5)), Some((ms(0), max, ms(2), ms(5))));
}

/// A value of one type, and what another type of the same name makes of its bytes.
macro_rules! meets {
    ($old:item, $value:expr; $new:item, $ty:ty) => {
        CODECS.map(|codec| {
            let bytes = {
                #[derive(Deserialize, Serialize)]
                $old
                entry($value, &plain(codec)).expect("encodes")
            };
            #[allow(dead_code)]
            #[derive(Deserialize, Serialize)]
            $new
            decoded::<$ty>(&bytes).expect("is answered")
        })
    };
}

#[test]
fn another_shape_of_one_kind_is_told_apart_from_another_kind() {
    let same = meets!(struct S { a: u8 }, S { a: 1 }; struct S { a: u8 }, S);
    assert!(same.iter().all(|decoded| matches!(decoded, Decoded::Value(_))), "{same:?}");
    let others = [
        meets!(struct S { a: u8 }, S { a: 1 }; struct S { a: i8 }, S),
        meets!(struct S { a: u8 }, S { a: 1 }; struct S { b: u8 }, S),
        meets!(struct S { a: u8, b: u8 }, S { a: 1, b: 2 }; struct S { b: u8, a: u8 }, S),
        meets!(struct S { a: Option<u8> }, S { a: None }; struct S { a: Option<u16> }, S),
        meets!(struct S { a: Vec<u8> }, S { a: vec![] }; struct S { a: Vec<String> }, S),
        meets!(struct S { a: u8 }, S { a: 1 }; struct S { a: u8, #[serde(default)] b: u8 }, S),
    ];
    for decoded in others.iter().flatten() {
        assert!(matches!(decoded, Decoded::OtherShape), "{decoded:?}");
    }
    for codec in CODECS {
        let bytes = entry(String::from("x"), &plain(codec)).expect("encodes");
        assert!(matches!(decoded::<Vec<u8>>(&bytes), Ok(Decoded::OtherKind)));
        assert_eq!(Envelope::read(&bytes).expect("reads").kind(), "alloc::string::String");
    }
}

#[test]
fn a_very_long_name_is_cut_and_still_its_own() {
    type Long<T> = HashMap<
        Option<HashMap<u8, Vec<String>>>,
        Result<HashMap<Vec<u64>, Vec<T>>, HashMap<String, Vec<String>>>,
    >;
    type Longer<T> = (Long<T>, HashMap<u8, Option<Vec<Vec<Vec<u8>>>>>);
    assert!(std::any::type_name::<Longer<u8>>().len() > 255);
    let refused = entry(5_u8, &Format::default()).expect("encodes");
    assert!(matches!(decoded::<Vec<Vec<u8>>>(&refused), Ok(Decoded::OtherKind)));
}

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
fn large_values_are_compressed_where_that_pays() {
    let long = "larder ".repeat(2000);
    for codec in CODECS {
        let bytes = entry(long.clone(), &plain(codec)).expect("encodes");
        assert!(bytes.len() < 300, "{} bytes", bytes.len());
        assert_eq!(*value::<String>(&bytes), long);
        let bytes = entry(long.clone(), &plain(codec).compress_above(usize::MAX)).expect("encodes");
        assert!(bytes.len() > long.len());
        // Noise does not get shorter, and stays as it is.
        let mut state = 1_u32;
        let noise: Vec<u8> = (0..10_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        if codec == Codec::Bincode {
            assert_eq!(*value::<Vec<u8>>(&entry(noise.clone(), &plain(codec)).expect("encodes")), noise);
        }
    }
}

#[test]
fn no_more_is_unpacked_than_allowed() {
    let bytes = entry("larder ".repeat(2000), &Format::default()).expect("encodes");
    let format = Format::default().inflate_at_most(13_999);
    let error = Envelope::read(&bytes).expect("reads").decode(Kind::of::<String>(), &format);
    assert!(error.expect_err("14 002 bytes").to_string().contains("limit of 13999"));
    // Four gigabytes, says the length; so little cannot be so much.
    let payload = bytes.len() - Envelope::read(&bytes).expect("reads").payload_len();
    let mut lying = bytes.clone();
    lying[payload..payload + 4].copy_from_slice(&[0xff; 4]);
    let format = Format::default().inflate_at_most(usize::MAX);
    let error = Envelope::read(&lying).expect("reads").decode(Kind::of::<String>(), &format);
    assert!(error.expect_err("not so much").to_string().contains("larger than it can be"));
    // Nor is more written than may be read.
    let format = Format::default().inflate_at_most(100);
    assert!(entry("larder ".repeat(2000), &format).expect("encodes").len() > 14_000);
}

/// An envelope of `T` around other bytes than those of a value.
fn around<T: Cacheable + Default>(codec: Codec, payload: &[u8]) -> Vec<u8> {
    let mut bytes = entry(T::default(), &plain(codec)).expect("encodes");
    let length = Envelope::read(&bytes).expect("reads").payload_len();
    bytes.truncate(bytes.len() - length);
    bytes[56..60].copy_from_slice(&u32::try_from(payload.len()).expect("short").to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

#[test]
fn lengths_that_lie_are_errors() {
    fn refused<T: Cacheable + Default + Debug>() {
        // 2^63 and more, and two lengths between, as each codec writes them.
        for postcard in [
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01][..],
            &[0xff, 0xff, 0xff, 0xff, 0x0f],
            &[9],
        ] {
            decoded::<T>(&around::<T>(Codec::Postcard, postcard)).expect_err("no such length");
        }
        for bincode in
            [&[253, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], &[252, 0xff, 0xff, 0xff, 0xff], &[9]]
        {
            decoded::<T>(&around::<T>(Codec::Bincode, bincode)).expect_err("no such length");
        }
        decoded::<T>(&around::<T>(Codec::Json, b"[1,2")).expect_err("cut");
    }
    refused::<String>();
    refused::<Vec<u8>>();
    refused::<Vec<[u64; 32]>>();
    refused::<Vec<Vec<Vec<String>>>>();
    refused::<HashMap<String, u64>>();
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
struct List(u8, Option<Box<List>>);

impl List {
    fn of(length: u8) -> Self {
        (1..length).fold(Self(0, None), |rest, n| Self(n, Some(Box::new(rest))))
    }
}

#[test]
fn values_nested_without_end_are_errors_and_do_not_overflow_the_stack() {
    for codec in [Codec::Postcard, Codec::Bincode] {
        let deep = around::<List>(codec, &[1; 2_000_000]);
        decoded::<List>(&deep).expect_err("deeper than any stack");
        assert_eq!(*value::<List>(&entry(List::of(80), &plain(codec)).expect("encodes")), List::of(80));
    }
    let deep = around::<Vec<List>>(Codec::Json, "[1,".repeat(1_000_000).as_bytes());
    decoded::<Vec<List>>(&deep).expect_err("deeper than any stack");
}

#[test]
fn what_larder_did_not_write_is_an_error() {
    for bytes in [&b""[..], b"17", b"{\"a\":1}", b"\xfalrd", b"\xfalrd\x01\x01\x00\x01"] {
        assert_eq!(Envelope::read(bytes).expect_err("no envelope").kind(), ErrorKind::Codec);
    }
    let good = entry(5_u8, &Format::default()).expect("encodes");
    for (at, byte, words) in [(4, 2, "version 2"), (5, 9, "number 9"), (6, 2, "flags"), (7, 200, "cut")] {
        let mut bytes = good.clone();
        bytes[at] = byte;
        let error = Envelope::read(&bytes).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}

fn students() -> impl Strategy<Value = Student> {
    let mark = prop_oneof![
        Just(Mark::Missed),
        any::<u16>().prop_map(Mark::Points),
        any::<(char, i8, bool)>().prop_map(|(by, mark, fair)| Mark::Graded { by, grade: (mark, fair) }),
    ];
    let home = proptest::option::of(any::<(String, u32)>().prop_map(|(road, number)| Address(road, number)));
    let notes = proptest::collection::btree_map(any::<String>(), any::<i32>(), 0..4);
    let mean = any::<f64>().prop_filter("json has no NaN", |mean| mean.is_finite());
    let student = (any::<u64>(), any::<String>(), proptest::collection::vec(mark, 0..5), home, notes, mean)
        .prop_map(|(id, name, marks, home, notes, mean)| Student {
            id,
            name,
            marks,
            home,
            notes,
            mean,
            mentor: None,
        });
    student.prop_recursive(3, 4, 1, |mentor| {
        mentor.prop_map(|mentor| Student { mentor: Some(Box::new(mentor)), ..ada() })
    })
}

fn formats() -> impl Strategy<Value = Format> {
    (0..CODECS.len(), any::<bool>()).prop_map(|(codec, compressed)| {
        Format::new(CODECS[codec]).compress_above(if compressed { 0 } else { usize::MAX })
    })
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(student in students(), format in formats()) {
        let bytes = encode(&student, &format).expect("encodes");
        prop_assert_eq!(decode(&bytes, &Format::default()).expect("decodes"), Some(student));
    }

    #[test]
    fn a_cut_or_longer_envelope_is_an_error(student in students(), format in formats(), cut: prop::sample::Index, more in 1..9_usize) {
        let mut bytes = encode(&student, &format).expect("encodes");
        prop_assert!(decode(&bytes[..cut.index(bytes.len())], &format).is_err());
        bytes.resize(bytes.len() + more, 0);
        prop_assert!(decode(&bytes, &format).is_err());
    }

    #[test]
    fn flipped_bytes_give_a_value_or_an_error(
        student in students(),
        format in formats(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..8),
    ) {
        let mut bytes = encode(&student, &format).expect("encodes");
        for (at, by) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= by;
        }
        let _ = decode(&bytes, &format);
    }

    #[test]
    fn any_payload_gives_a_value_or_an_error(payload in proptest::collection::vec(any::<u8>(), 0..200), codec in 0..CODECS.len()) {
        let codec = CODECS[codec];
        let _ = decoded::<List>(&around::<List>(codec, &payload));
        let _ = decoded::<Vec<Option<String>>>(&around::<Vec<Option<String>>>(codec, &payload));
        let _ = decoded::<HashMap<String, Vec<(char, f32)>>>(&around::<HashMap<String, Vec<(char, f32)>>>(codec, &payload));
    }

    #[test]
    fn any_bytes_give_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Envelope::read(&bytes).is_err());
    }
}
