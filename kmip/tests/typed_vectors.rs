//! Messages of other implementations, read into typed messages and written again.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "support/vectors.rs"]
#[expect(dead_code, reason = "the whole messages are enough here")]
mod vectors;

use kmip::message::{ItemPayload, RequestMessage, ResponseMessage};
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

/// Responses that are refused: name, error, and why that is right.
const REFUSED_RESPONSES: [(&str, &str, &str); 1] = [(
    "KMIP 1.0 Use Case 8.1 (0) - Create Key Pair",
    "Unique Identifier does not belong here at byte 136",
    "two Unique Identifiers, which do not tell the private key from the public one (1.0 §4.2)",
)];

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
            let refused = REFUSED_RESPONSES.iter().find(|refused| refused.0 == name);
            match (ResponseMessage::decode(&bytes), refused) {
                (Ok(message), None) => {
                    assert_eq!(*message.encode(), bytes, "{name}\n{}", kmip::text::render(&message.encode()));
                }
                (read, refused) => {
                    assert_eq!(read.map_err(|error| error.to_string()), Err(refused.unwrap().1.to_owned()), "{name}");
                }
            }
            responses += 1;
        }
    }
    assert_eq!((requests, responses, exceptions), (232, 221, EXCEPTIONS.len()));
}

/// Whether its version is one of 1.0 to 1.4.
fn is_ours(vector: &Value) -> bool {
    vector["kmip_version"].as_str().is_some_and(|version| version.starts_with("1."))
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
