//! See [`larder_fuzz::operations`].
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| larder_fuzz::operations(bytes));
