//! The control: an unchecked addition behind the reader, which the fuzzer has to find. Without `--cfg planted_bug` the
//! addition is checked and there is nothing to find.
//!
//! To get there an input has to be well formed down to Integers in a structure.
#![no_main]

use kmip::ProtocolVersion;
use kmip::ttlv::{DecodeError, ItemType, Reader};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = sum(Reader::new(bytes, ProtocolVersion::V1_4), 0);
});

fn sum(mut reader: Reader<'_>, depth: u32) -> Result<u16, DecodeError> {
    let mut total = 0;
    while let Some(item) = reader.next_item()? {
        match item.item_type {
            ItemType::Structure => total = add(total, sum(item.structure()?, depth + 1)?),
            ItemType::Integer if depth >= 1 => total = add(total, low_half(item.integer()?)),
            _ => {}
        }
    }
    Ok(total)
}

fn low_half(value: i32) -> u16 {
    let [_, _, high, low] = value.to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(planted_bug)]
fn add(a: u16, b: u16) -> u16 {
    a + b
}

#[cfg(not(planted_bug))]
fn add(a: u16, b: u16) -> u16 {
    a.saturating_add(b)
}
