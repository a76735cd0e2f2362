//! See `clavis_fuzz::request_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| clavis_fuzz::request_message(bytes));
