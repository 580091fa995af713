//! Other kinds, and other shapes of one kind, are told apart and never read.

use std::collections::HashMap;

use cache_core::Result;
use cache_core::wire::{Decoded, Envelope, Format};
use serde::{Deserialize, Serialize};

use crate::student::CODECS;
use crate::{decoded, entry, plain};

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
