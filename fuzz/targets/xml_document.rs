//! See `clavis_fuzz::xml_document`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| clavis_fuzz::xml_document(bytes));
