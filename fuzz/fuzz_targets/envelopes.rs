//! See [`larder_fuzz::envelopes`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| larder_fuzz::envelopes(bytes));
