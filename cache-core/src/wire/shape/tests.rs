use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::*;

/// The shape as every codec sees it; all of it was seen.
fn whole<T: DeserializeOwned>() -> [u64; 2] {
    [false, true].map(|human| {
        let trace = trace::<T>(human);
        assert_eq!((trace.gap, trace.asks), (None, None), "{}, {human}", std::any::type_name::<T>());
        trace.hash
    })
}

/// What remains to be said of a type that cannot be traced.
fn gap<T: DeserializeOwned>(human: bool) -> String {
    let trace = trace::<T>(human);
    trace.asks.map(str::to_owned).or(trace.gap).unwrap_or_default()
}

/// The shapes of types of one name, each with the items before it.
macro_rules! shapes {
    ($($what:literal: { $($item:item)* } $ty:ty;)*) => {
        [$(($what, {
            $(#[allow(dead_code)] #[derive(Deserialize)] $item)*
            whole::<$ty>()
        })),*]
    };
}

#[test]
fn every_change_of_structure_is_another_shape() {
    let shapes = shapes! {
        "as it was": { struct User { id: u64, name: String, home: Address } struct Address { street: String, number: u32 } } User;
        "a field added": { struct User { id: u64, name: String, home: Address, age: u8 } struct Address { street: String, number: u32 } } User;
        "added between": { struct User { id: u64, age: u8, name: String, home: Address } struct Address { street: String, number: u32 } } User;
        "removed": { struct User { id: u64, home: Address } struct Address { street: String, number: u32 } } User;
        "renamed": { struct User { id: u64, title: String, home: Address } struct Address { street: String, number: u32 } } User;
        "reordered": { struct User { name: String, id: u64, home: Address } struct Address { street: String, number: u32 } } User;
        "retyped": { struct User { id: i64, name: String, home: Address } struct Address { street: String, number: u32 } } User;
        "narrowed": { struct User { id: u32, name: String, home: Address } struct Address { street: String, number: u32 } } User;
        "optional": { struct User { id: u64, name: Option<String>, home: Address } struct Address { street: String, number: u32 } } User;
        "many": { struct User { id: u64, name: Vec<String>, home: Address } struct Address { street: String, number: u32 } } User;
        "two, the same way": { struct User { id: u64, name: String, home: Vec<Address> } struct Address { street: String, number: u32 } } User;
        "nested added": { struct User { id: u64, name: String, home: Address } struct Address { street: String, number: u32, floor: i8 } } User;
        "nested removed": { struct User { id: u64, name: String, home: Address } struct Address { street: String } } User;
        "nested renamed": { struct User { id: u64, name: String, home: Address } struct Address { road: String, number: u32 } } User;
        "nested reordered": { struct User { id: u64, name: String, home: Address } struct Address { number: u32, street: String } } User;
        "nested retyped": { struct User { id: u64, name: String, home: Address } struct Address { street: String, number: u64 } } User;
        "a new type": { struct User { id: Id, name: String, home: Address } struct Id(u64); struct Address { street: String, number: u32 } } User;
        "a tuple": { struct User { id: (u64, String), home: Address } struct Address { street: String, number: u32 } } User;
        "an array": { struct User { id: u64, name: [u8; 4], home: Address } struct Address { street: String, number: u32 } } User;
        "a longer one": { struct User { id: u64, name: [u8; 5], home: Address } struct Address { street: String, number: u32 } } User;
        "a map": { struct User { id: u64, name: HashMap<String, u8>, home: Address } struct Address { street: String, number: u32 } } User;
        "another key": { struct User { id: u64, name: HashMap<u8, u8>, home: Address } struct Address { street: String, number: u32 } } User;
        "another value": { struct User { id: u64, name: HashMap<String, u16>, home: Address } struct Address { street: String, number: u32 } } User;
        "all in one": { struct User { id: u64, name: String, street: String, number: u32 } } User;
    };
    for (i, (one, a)) in shapes.iter().enumerate() {
        for (other, b) in &shapes[i + 1..] {
            assert!(a[0] != b[0] && a[1] != b[1], "{one} = {other}");
        }
    }
}

#[test]
fn every_change_of_an_enum_is_another_shape() {
    let shapes = shapes! {
        "as it was": { enum E { A, B(u8), C { x: u8 }, D(u8, u8) } } Vec<E>;
        "added": { enum E { A, B(u8), C { x: u8 }, D(u8, u8), F } } Vec<E>;
        "removed": { enum E { A, B(u8), C { x: u8 } } } Vec<E>;
        "renamed": { enum E { A, B(u8), C { x: u8 }, G(u8, u8) } } Vec<E>;
        "reordered": { enum E { B(u8), A, C { x: u8 }, D(u8, u8) } } Vec<E>;
        "no unit": { enum E { A(u8), B(u8), C { x: u8 }, D(u8, u8) } } Vec<E>;
        "retyped": { enum E { A, B(i8), C { x: u8 }, D(u8, u8) } } Vec<E>;
        "a field renamed": { enum E { A, B(u8), C { y: u8 }, D(u8, u8) } } Vec<E>;
        "a field retyped": { enum E { A, B(u8), C { x: u16 }, D(u8, u8) } } Vec<E>;
        "a part retyped": { enum E { A, B(u8), C { x: u8 }, D(u8, u16) } } Vec<E>;
        "a part more": { enum E { A, B(u8), C { x: u8 }, D(u8, u8, u8) } } Vec<E>;
        "alone": { enum E { A, B(u8), C { x: u8 }, D(u8, u8) } } E;
    };
    for (i, (one, a)) in shapes.iter().enumerate() {
        for (other, b) in &shapes[i + 1..] {
            assert!(a[0] != b[0] && a[1] != b[1], "{one} = {other}");
        }
    }
}

#[test]
fn what_is_deep_in_variants_counts() {
    macro_rules! deep {
        ($leaf:ty, $rest:ty) => {{
            #[allow(dead_code)]
            #[derive(Deserialize)]
            enum Outer {
                One(Inner),
                Two(Option<Vec<Inner>>),
                Three { last: $rest, inner: Inner },
            }
            #[allow(dead_code)]
            #[derive(Deserialize)]
            enum Inner {
                Nothing,
                Some(Box<Leaf>),
                Many(BTreeMap<u8, Leaf>),
            }
            #[allow(dead_code)]
            #[derive(Deserialize)]
            struct Leaf {
                it: $leaf,
            }
            whole::<(Outer, Outer)>()
        }};
    }
    assert_eq!(deep!(u8, u8)[0], deep!(u8, u8)[0]);
    assert_ne!(deep!(u8, u8)[0], deep!(u16, u8)[0]);
    assert_ne!(deep!(u8, u8)[0], deep!(u8, u16)[0]);
}

#[test]
fn the_name_and_the_module_of_a_type_do_not_count_but_what_serde_says() {
    mod a {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        pub(super) struct User {
            pub(super) id: u64,
        }
    }
    mod b {
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        pub(super) struct User {
            pub(super) id: u64,
        }
        #[derive(serde::Deserialize)]
        #[allow(dead_code)]
        #[serde(rename = "User")]
        pub(super) struct Person {
            #[serde(rename = "id")]
            pub(super) number: u64,
        }
    }
    assert_eq!(whole::<a::User>(), whole::<b::User>());
    assert_eq!(whole::<a::User>(), whole::<b::Person>());
    assert_eq!(whole::<Box<[u8]>>(), whole::<HashSet<u8>>(), "both are sequences");
}

#[derive(Deserialize)]
#[allow(dead_code)]
enum Expr {
    Add(Box<Expr>, Box<Expr>),
    Call { name: String, args: Vec<Expr> },
    Block(Vec<Statement>),
    Number(f64),
}

#[derive(Deserialize)]
#[allow(dead_code)]
enum Statement {
    If(Expr, Box<Statement>, Option<Box<Statement>>),
    Let { pattern: Tree, value: Expr },
    Expr(Expr),
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Tree {
    left: Option<Box<Tree>>,
    label: Color,
    right: Option<Box<Tree>>,
    others: HashMap<String, Tree>,
    tail: Thread,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Thread(Option<Box<Thread>>);

#[derive(Deserialize)]
#[allow(dead_code)]
enum Color {
    Red,
    Mixed(u8, u8),
}

#[test]
fn types_inside_themselves_have_an_end() {
    whole::<Tree>();
    whole::<Expr>();
    whole::<Statement>();
    whole::<Vec<HashMap<String, (Expr, Tree)>>>();
    assert_ne!(whole::<Expr>(), whole::<Statement>());
}

#[test]
fn what_was_first_seen_in_short_is_seen_whole() {
    macro_rules! short {
        ($leaf:ty) => {{
            #[allow(dead_code)]
            #[derive(Deserialize)]
            enum E {
                Nested(Box<E>),
                Empty(Option<$leaf>, Vec<$leaf>),
            }
            whole::<E>()
        }};
    }
    assert_ne!(short!(u8), short!(u16));
}

#[test]
fn common_types_are_traced() {
    whole::<()>();
    whole::<Vec<Option<(u8, char)>>>();
    whole::<Result<NonZeroU64, String>>();
    whole::<(IpAddr, SocketAddr, Duration, std::ops::Range<u8>)>();
    whole::<std::ops::Bound<std::path::PathBuf>>();
    whole::<(u128, i128, f32, [String; 3])>();
    assert_ne!(whole::<IpAddr>()[0], whole::<IpAddr>()[1], "a text for people, numbers for others");
}

/// An address with one `@` in it, and bounds in their order, as types that check what they read.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Email(#[allow(dead_code)] String);

impl TryFrom<String> for Email {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.contains('@') { Ok(Self(text)) } else { Err(format!("{text:?} has no @")) }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "(u32, u32, u8)")]
struct Bounds;

impl TryFrom<(u32, u32, u8)> for Bounds {
    type Error = &'static str;

    fn try_from((from, to, _): (u32, u32, u8)) -> Result<Self, &'static str> {
        if from < to { Ok(Self) } else { Err("empty") }
    }
}

#[test]
fn types_that_check_what_they_read_are_traced_where_a_sample_passes() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Contact<T> {
        mail: Vec<Email>,
        bounds: Option<Bounds>,
        count: NonZeroU64,
        last: T,
    }
    assert_ne!(whole::<Contact<u8>>(), whole::<Contact<u16>>());
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Secret;

impl TryFrom<String> for Secret {
    type Error = &'static str;

    fn try_from(_: String) -> Result<Self, &'static str> {
        Err("not the password")
    }
}

#[test]
fn what_cannot_be_traced_says_why() {
    assert!(gap::<(Secret, u8)>(false).contains("not the password"));
    // What was seen counts all the same.
    assert_ne!(trace::<(u8, Secret)>(false).hash, trace::<(u16, Secret)>(false).hash);

    #[derive(Deserialize)]
    #[allow(dead_code)]
    #[serde(untagged)]
    enum Untagged {
        A(u8),
        B(String),
    }
    assert!(gap::<Vec<Untagged>>(false).contains("what is there"), "{}", gap::<Untagged>(false));

    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Flat {
        a: u8,
        #[serde(flatten)]
        rest: HashMap<String, u8>,
    }
    assert!(gap::<Flat>(false).contains("flatten"), "{}", gap::<Flat>(false));

    #[derive(Deserialize)]
    #[allow(dead_code)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        A(u8),
        B(String),
    }
    assert!(gap::<Adjacent>(false).contains("`tag`"), "{}", gap::<Adjacent>(false));

    struct Panics;
    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("a panic of the test's")
        }
    }
    assert!(gap::<Panics>(true).contains("panics"));

    #[derive(Deserialize)]
    #[allow(dead_code)]
    #[serde(transparent)]
    struct Endless(Vec<Endless>);
    assert!(gap::<Endless>(false).contains("too deep"));
}

#[test]
fn what_a_codec_cannot_carry_is_found() {
    #[derive(Serialize, Deserialize)]
    struct Marker;
    let nothings = |trace: Trace| trace.hazards.nothings;
    assert!(nothings(trace::<Vec<()>>(false)));
    assert!(nothings(trace::<Option<Vec<(Marker, [(); 3])>>>(false)));
    assert!(!nothings(trace::<Vec<(Marker, u8)>>(false)));
    assert!(!nothings(trace::<Tree>(false)));
    let nulls = |trace: Trace| trace.hazards.nulls;
    assert!(nulls(trace::<Option<Option<u8>>>(true)));
    assert!(nulls(trace::<Vec<Option<Marker>>>(true)));
    assert!(nulls(trace::<Option<Thread>>(true)));
    assert!(!nulls(trace::<Option<(Option<u8>,)>>(true)));
}
