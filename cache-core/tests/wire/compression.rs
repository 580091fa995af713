//! Large values are compressed, and unpacked within limits.

use cache_core::Kind;
use cache_core::wire::{Codec, Envelope, Format};

use crate::student::CODECS;
use crate::{entry, plain, value};

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
