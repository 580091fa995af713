//! What holds of all values and of all bytes.

use std::collections::HashMap;

use cache_core::wire::{Envelope, Format};
use proptest::prelude::*;

use crate::student::{Address, CODECS, Mark, Student, ada, decode, encode};
use crate::{List, around, decoded};

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
