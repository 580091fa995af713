//! See [`larder_fuzz::keys`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| larder_fuzz::keys(bytes));
