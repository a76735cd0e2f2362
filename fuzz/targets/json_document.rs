//! See `clavis_fuzz::json_document`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| clavis_fuzz::json_document(bytes));
