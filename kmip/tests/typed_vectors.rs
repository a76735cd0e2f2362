//! Messages of other implementations, read into typed messages and written again.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/vectors.rs"]
#[expect(dead_code, reason = "the whole messages are enough here")]
mod vectors;

use kmip::message::{ItemPayload, RequestMessage, ResponseMessage};
use kmip::payload::TYPED_OPERATIONS;
use serde_json::Value;

/// What becomes of a message that does not come back as it was.
#[derive(Debug, PartialEq)]
enum Fate {
    /// It is read, and written with its fields in the order of the tables.
    Reordered,
    /// It is refused, or one of its items is, with this error.
    Refused(String),
}

/// Requests that do not come back byte for byte: name, fate (`None` is [`Fate::Reordered`]), and why that is right.
const EXCEPTIONS: [(&str, Option<&str>, &str); 5] = [
    (
        "KMIP 1.0 Use Case 7.1 (0) - Create",
        None,
        "Criticality Indicator before Vendor Identification, against the table of Message Extension (1.4 §6.16)",
    ),
    ("KMIP 1.0 Use Case 7.2 (0) - Create", None, "the same"),
    (
        "KMIP 1.0 Use Case 11.1 (2) - Client B: Get (symmetric key), Get Attribute List",
        Some("Batch Error Continuation Option is out of order at byte 144"),
        "Batch Order Option before Batch Error Continuation Option, against the table of the header (1.4 §7.2)",
    ),
    (
        "scality 2",
        Some("Unique Batch Item ID is out of order at byte 96"),
        "Unique Batch Item ID before Operation, against the table of the batch item (1.4 §7.2)",
    ),
    ("rajnikant main.go 1", Some("batch count 2 with 0 batch items at byte 8"), "the count lies"),
];

#[test]
fn messages_come_back_byte_for_byte() {
    let file = vectors::file("vectors.json");
    let (mut requests, mut responses, mut exceptions) = (0, 0, 0);
    for vector in file["vectors"].as_array().unwrap().iter().filter(|vector| is_ours(vector)) {
        let name = vector["name"].as_str().unwrap();
        if let Some(digits) = vector["request_hex"].as_str() {
            let exception = EXCEPTIONS.iter().find(|exception| exception.0 == name);
            let expected = exception.map(|(_, refused, _)| match refused {
                None => Fate::Reordered,
                Some(error) => Fate::Refused((*error).to_owned()),
            });
            assert_eq!(fate_of_request(&hex::decode(digits).unwrap()), expected, "{name}");
            requests += 1;
            exceptions += usize::from(exception.is_some());
        }
        if let Some(digits) = vector["response_hex"].as_str() {
            let bytes = hex::decode(digits).unwrap();
            let message = ResponseMessage::decode(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(*message.encode(), bytes, "{name}\n{}", kmip::text::render(&message.encode()));
            responses += 1;
        }
    }
    assert_eq!((requests, responses, exceptions), (208, 197, EXCEPTIONS.len()));
}

/// Whether every operation of the vector has typed payloads, and its version is one of 1.0 to 1.4.
fn is_ours(vector: &Value) -> bool {
    let typed = |operation: &Value| {
        let Some(name) = operation.as_str() else { return true };
        TYPED_OPERATIONS.iter().any(|operation| operation.text() == name)
    };
    vector["kmip_version"].as_str().is_some_and(|version| version.starts_with("1."))
        && vector["operations"].as_array().unwrap().iter().all(typed)
}

fn fate_of_request(bytes: &[u8]) -> Option<Fate> {
    let message = match RequestMessage::decode(bytes) {
        Ok(message) => message,
        Err(error) => return Some(Fate::Refused(error.to_string())),
    };
    for item in &message.items {
        match &item.payload {
            ItemPayload::Typed(_) => {}
            ItemPayload::Malformed(error) => return Some(Fate::Refused(error.to_string())),
            ItemPayload::Unsupported => return Some(Fate::Refused("unsupported".to_owned())),
        }
    }
    let again = message.encode().unwrap();
    if *again == bytes {
        return None;
    }
    assert_eq!(*RequestMessage::decode(&again).unwrap().encode().unwrap(), *again);
    assert_eq!(again.len(), bytes.len());
    Some(Fate::Reordered)
}

#[test]
fn operations_without_typed_payload_leave_the_rest_of_a_message_readable() {
    let file = vectors::file("vectors.json");
    let mut untyped = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let Some(digits) = vector["request_hex"].as_str() else { continue };
        let Ok(message) = RequestMessage::decode(&hex::decode(digits).unwrap()) else { continue };
        for item in &message.items {
            if let Ok(operation) = item.operation
                && !TYPED_OPERATIONS.contains(&operation)
            {
                assert_eq!(item.payload, ItemPayload::Unsupported, "{}", vector["name"]);

                untyped += 1;
            }
        }
    }
    assert_eq!(untyped, 24);
}
