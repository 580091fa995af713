//! Bytes that mean harm.

use std::collections::HashMap;
use std::fmt::Debug;

use cache_core::wire::{Codec, Envelope, Format};
use cache_core::{Cacheable, ErrorKind};

use crate::{List, around, decoded, entry, plain, value};

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
    for bytes in [&[&good[..], b"\n"].concat(), &good[..good.len() - 1]] {
        let error = Envelope::read(bytes).expect_err("another length").to_string();
        assert!(error.contains("cut, or something follows"), "{error}");
    }
    for (at, byte, words) in [(4, 2, "version 2"), (5, 9, "number 9"), (6, 4, "flags"), (7, 200, "cut")] {
        let mut bytes = good.clone();
        bytes[at] = byte;
        let error = Envelope::read(&bytes).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn nothing_may_follow_the_value() {
    for codec in [Codec::Postcard, Codec::Bincode] {
        assert_eq!(*value::<u8>(&around::<u8>(codec, &[5])), 5);
        let error = decoded::<u8>(&around::<u8>(codec, &[5, 5])).expect_err("two values").to_string();
        assert!(error.contains("follows"), "{error}");
    }
    decoded::<u8>(&around::<u8>(Codec::Json, b"5 5")).expect_err("two values");
}

#[test]
fn no_error_quotes_the_value() {
    for codec in [Codec::Postcard, Codec::Json, Codec::Bincode] {
        let secret = entry("hunter2".to_owned(), &plain(codec)).expect("encodes");
        let length = Envelope::read(&secret).expect("reads").payload_len();
        let bytes = around::<Vec<u8>>(codec, &secret[secret.len() - length..]);
        let error = decoded::<Vec<u8>>(&bytes);
        if codec == Codec::Json {
            error.as_ref().expect_err("a text is no list");
        }
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}
