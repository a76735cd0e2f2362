//! See `clavis_fuzz::response_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| clavis_fuzz::response_message(bytes));
