//! See [`larder_fuzz::patterns`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| larder_fuzz::patterns(bytes));
