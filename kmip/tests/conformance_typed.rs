//! The published OASIS test cases of every version, read into typed messages and written again.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/cases.rs"]
mod cases;

use kmip::message::{ItemPayload, RequestMessage, ResponseMessage, peek_version};
use kmip::ttlv::{DecodeError, DecodeErrorKind};
use kmip::xml::Element;
use kmip::{ProtocolVersion, Tag};

/// Messages with something that no version of the standard has: file, error, and why that is right.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    ("CS-AC-M-3-12.xml", "Attribute Name is missing at byte 296", "an Attribute without name"),
    ("CS-AC-M-8-12.xml", "Attribute Name is missing at byte 408", "an Attribute without name"),
    (
        "TC_NP_2_12_Notify_Put.xml",
        "Key Format Type does not belong here at byte 656",
        "a message of 1.0 with a Digest of 1.1",
    ),
];

#[test]
fn published_messages_come_back_from_their_types() {
    let Some(cases) = cases::all() else { return };
    let (mut whole, mut not_typed, mut faults) = (0, 0, Vec::new());
    for case in &cases {
        let name = case.path.file_name().unwrap().to_string_lossy();
        let excepted = |error: &str| EXCEPTIONS.iter().any(|row| row.0 == name && row.1 == error);
        for (at, message) in case.messages.iter().flatten().enumerate() {
            match read_and_write(message) {
                Fate::Whole => whole += 1,
                Fate::NotTyped => not_typed += 1,
                Fate::Fault(fault) if excepted(&fault) => {}
                Fate::Fault(fault) => faults.push(format!("{}, message {at}: {fault}", case.path.display())),
            }
        }
    }
    println!("{whole} messages came back, {not_typed} have operations or objects without types");
    assert!(whole > not_typed, "{whole} came back, {not_typed} did not");
    if !faults.is_empty() {
        panic!("{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}

enum Fate {
    /// Written as it was read.
    Whole,
    /// Of a version yet to come, or with an operation or object that has no type.
    NotTyped,
    Fault(String),
}

fn read_and_write(message: &Element) -> Fate {
    let bytes = message.to_ttlv().unwrap();
    if peek_version(&bytes).is_none_or(|version| version > ProtocolVersion::V2_1) {
        return Fate::NotTyped;
    }
    let again = if message.name == "RequestMessage" {
        let read = match RequestMessage::decode(&bytes) {
            Ok(read) => read,
            Err(error) => return fate_of(error),
        };
        for item in &read.items {
            match item.payload {
                ItemPayload::Typed(_) => {}
                ItemPayload::Unsupported => return Fate::NotTyped,
                ItemPayload::Malformed(error) => return fate_of(error),
            }
        }
        read.encode().unwrap()
    } else {
        match ResponseMessage::decode(&bytes) {
            Ok(read) => read.encode(),
            Err(error) => return fate_of(error),
        }
    };
    if *again == *bytes { Fate::Whole } else { Fate::Fault("written otherwise than it was read".to_owned()) }
}

fn fate_of(error: DecodeError) -> Fate {
    match error.kind {
        DecodeErrorKind::UnsupportedObject(_) | DecodeErrorKind::Invalid { tag: Tag::OPERATION, .. } => Fate::NotTyped,
        _ => Fate::Fault(error.to_string()),
    }
}
