//! See `clavis_fuzz::ttlv_reader`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| clavis_fuzz::ttlv_reader(bytes));
