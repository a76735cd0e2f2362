//! What an answer has to be: its fields in the specification's order, everything repeated that was sent.

use kmip::registry::{Operation, ResultReason, ResultStatus};
use kmip::{ProtocolVersion, Tag};

use super::{Tree, strangers};

/// The fields of a Response Header, in order. KMIP 1.4 §7.2, 2.1 §8.5.
const HEADER: [Tag; 8] = [
    Tag::PROTOCOL_VERSION,
    Tag::TIME_STAMP,
    Tag::NONCE,
    Tag::SERVER_HASHED_PASSWORD,
    Tag::ATTESTATION_TYPE,
    Tag::CLIENT_CORRELATION_VALUE,
    Tag::SERVER_CORRELATION_VALUE,
    Tag::BATCH_COUNT,
];
/// The fields of a Batch Item in a response, in order. KMIP 1.4 §7.2, 2.1 §8.6.
const ITEM: [Tag; 8] = [
    Tag::OPERATION,
    Tag::UNIQUE_BATCH_ITEM_ID,
    Tag::RESULT_STATUS,
    Tag::RESULT_REASON,
    Tag::RESULT_MESSAGE,
    Tag::ASYNCHRONOUS_CORRELATION_VALUE,
    Tag::RESPONSE_PAYLOAD,
    Tag::MESSAGE_EXTENSION,
];
/// The payloads that strict clients were seen to choke on: no other fields, in this order. KMIP 1.4 §4.
const PAYLOADS: [(Operation, &[Tag]); 6] = [
    (Operation::Create, &[Tag::OBJECT_TYPE, Tag::UNIQUE_IDENTIFIER, Tag::TEMPLATE_ATTRIBUTE]),
    (Operation::Register, &[Tag::UNIQUE_IDENTIFIER, Tag::TEMPLATE_ATTRIBUTE]),
    (Operation::Locate, &[Tag::LOCATED_ITEMS, Tag::UNIQUE_IDENTIFIER]),
    (Operation::Activate, &[Tag::UNIQUE_IDENTIFIER]),
    (Operation::Destroy, &[Tag::UNIQUE_IDENTIFIER]),
    (
        Operation::Query,
        &[
            Tag::OPERATION,
            Tag::OBJECT_TYPE,
            Tag::VENDOR_IDENTIFICATION,
            Tag::SERVER_INFORMATION,
            Tag::APPLICATION_NAMESPACE,
            Tag::EXTENSION_INFORMATION,
            Tag::ATTESTATION_TYPE,
            Tag::RNG_PARAMETERS,
            Tag::PROFILE_INFORMATION,
            Tag::VALIDATION_INFORMATION,
            Tag::CAPABILITY_INFORMATION,
            Tag::CLIENT_REGISTRATION_METHOD,
            Tag::DEFAULTS_INFORMATION,
            Tag::PROTECTION_STORAGE_MASKS,
        ],
    ),
];

/// An answer in which nothing was found fault with.
#[derive(Debug)]
pub struct Answer {
    /// As it came.
    pub bytes: Vec<u8>,
    /// The message.
    pub message: Tree,
}

impl Answer {
    /// The batch items.
    pub fn items(&self) -> impl Iterator<Item = &Tree> {
        self.message.all(Tag::BATCH_ITEM)
    }

    /// The payload of the only item, which succeeded.
    ///
    /// # Errors
    /// What else it is, as text.
    pub fn payload(&self) -> Result<&Tree, String> {
        let mut items = self.items();
        let (Some(item), None) = (items.next(), items.next()) else { return Err(format!("{self:?}")) };
        match item.child(Tag::RESPONSE_PAYLOAD) {
            Some(payload) if status(item) == Some(ResultStatus::Success.value()) => Ok(payload),
            _ => Err(format!("{:?}", item)),
        }
    }

    /// The Result Reason of the only item, which failed.
    ///
    /// # Errors
    /// What else it is, as text.
    pub fn reason(&self) -> Result<ResultReason, String> {
        let mut items = self.items();
        let (Some(item), None) = (items.next(), items.next()) else { return Err(format!("{self:?}")) };
        let reason = item.child(Tag::RESULT_REASON).and_then(Tree::number);
        reason
            .filter(|_| status(item) == Some(ResultStatus::OperationFailed.value()))
            .and_then(|reason| ResultReason::try_from(reason).ok())
            .ok_or_else(|| format!("{item:?}"))
    }

    /// The texts of the fields with this tag in the payload of the only item.
    ///
    /// # Errors
    /// As [`Answer::payload`].
    pub fn texts(&self, tag: Tag) -> Result<Vec<String>, String> {
        Ok(self.payload()?.all(tag).filter_map(Tree::text).map(str::to_owned).collect())
    }

    /// The Unique Identifier in the payload of the only item.
    ///
    /// # Errors
    /// As [`Answer::payload`], or where there is none.
    pub fn identifier(&self) -> Result<String, String> {
        self.texts(Tag::UNIQUE_IDENTIFIER)?.pop().ok_or_else(|| format!("no identifier in {self:?}"))
    }
}

/// The version in the header of a message.
fn version(message: &Tree, header: Tag) -> Option<ProtocolVersion> {
    let version = message.child(header)?.child(Tag::PROTOCOL_VERSION)?;
    let part = |tag| version.child(tag)?.number().and_then(|number| i32::try_from(number).ok());
    Some(ProtocolVersion { major: part(Tag::PROTOCOL_VERSION_MAJOR)?, minor: part(Tag::PROTOCOL_VERSION_MINOR)? })
}

fn status(item: &Tree) -> Option<u32> {
    item.child(Tag::RESULT_STATUS)?.number()
}

/// What is wrong with an answer to a request, as text.
pub fn faults(request: &Tree, answer: &Tree) -> Vec<String> {
    let asked = version(request, Tag::REQUEST_HEADER);
    let Some(version) = version(answer, Tag::RESPONSE_HEADER) else { return vec!["no version".to_owned()] };
    let mut faults = strangers(answer, version);
    // An operation that the version does not know is repeated all the same.
    let own: Vec<String> =
        strangers(request, version).into_iter().filter(|one| one.starts_with("Operation ")).collect();
    faults.retain(|fault| !own.contains(fault));
    if asked != Some(version) {
        faults.push(format!("asked in {asked:?}, answered in {version}"));
    }
    let items: Vec<&Tree> = answer.all(Tag::BATCH_ITEM).collect();
    let [header, ..] = answer.children.as_slice() else { return vec!["empty".to_owned()] };
    if answer.children.len() != 1 + items.len() || header.tag != Tag::RESPONSE_HEADER.value() {
        faults.push("a message is a header and its items".to_owned());
    }
    faults.extend(out_of_order(header, &HEADER));
    let count = header.child(Tag::BATCH_COUNT).and_then(Tree::number);
    if count != u32::try_from(items.len()).ok() {
        faults.push(format!("{count:?} items are announced, {} came", items.len()));
    }
    let asked: Vec<&Tree> = request.all(Tag::BATCH_ITEM).collect();
    if items.len() > asked.len() {
        faults.push("more items than were asked".to_owned());
    }
    for (item, asked) in items.iter().zip(asked) {
        for echoed in [Tag::OPERATION, Tag::UNIQUE_BATCH_ITEM_ID] {
            if item.child(echoed) != asked.child(echoed) {
                faults.push(format!("{echoed} is not the request's"));
            }
        }
        faults.extend(item_faults(item));
    }
    faults
}

fn item_faults(item: &Tree) -> Vec<String> {
    let mut faults: Vec<String> = out_of_order(item, &ITEM).into_iter().collect();
    let has = |tag| item.child(tag).is_some();
    match status(item).and_then(|status| ResultStatus::try_from(status).ok()) {
        Some(ResultStatus::Success) => {
            if has(Tag::RESULT_REASON) || has(Tag::RESULT_MESSAGE) || !has(Tag::RESPONSE_PAYLOAD) {
                faults.push("a success has a payload, no reason and no message".to_owned());
            }
        }
        Some(ResultStatus::OperationFailed) => {
            if !has(Tag::RESULT_REASON) {
                faults.push("a failure has a reason".to_owned());
            }
        }
        Some(_) => {}
        None => faults.push("no Result Status".to_owned()),
    }
    let operation = item.child(Tag::OPERATION).and_then(Tree::number);
    let rules = PAYLOADS.iter().find(|(of, _)| Some(of.value()) == operation);
    if let (Some((_, fields)), Some(payload)) = (rules, item.child(Tag::RESPONSE_PAYLOAD)) {
        faults.extend(out_of_order(payload, fields));
    }
    faults
}

/// Whether the fields are these, in this order.
fn out_of_order(structure: &Tree, order: &[Tag]) -> Option<String> {
    let places: Vec<Option<usize>> =
        structure.tags().iter().map(|tag| order.iter().position(|one| one.value() == *tag)).collect();
    let in_order = places.iter().all(Option::is_some) && places.is_sorted();
    (!in_order).then(|| format!("fields of {:06x}: {:06x?}", structure.tag, structure.tags()))
}

#[cfg(test)]
mod tests {
    use kmip::ttlv::Writer;

    use super::super::Request;
    use super::*;

    const V1_0: ProtocolVersion = ProtocolVersion::V1_0;
    const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

    /// What a server may get wrong.
    struct Server {
        version: ProtocolVersion,
        operation: Operation,
        mark: &'static [u8],
        header: fn(&mut Writer),
        result: fn(&mut Writer),
        count: i32,
    }

    const RIGHT: Server = Server {
        version: V1_4,
        operation: Operation::Register,
        mark: b"mark",
        header: |w| w.date_time(Tag::TIME_STAMP, 7),
        result: |w| {
            w.enumeration(Tag::RESULT_STATUS, 0);
            w.structure(Tag::RESPONSE_PAYLOAD, |w| w.text(Tag::UNIQUE_IDENTIFIER, "1"));
        },
        count: 1,
    };

    fn found(server: &Server, asked: ProtocolVersion) -> usize {
        let request = Request::register_key(asked, &[7; 16], &[]).marked(b"mark").bytes();
        let mut w = Writer::new(ProtocolVersion::EVERY);
        w.structure(Tag::RESPONSE_MESSAGE, |w| {
            w.structure(Tag::RESPONSE_HEADER, |w| {
                w.structure(Tag::PROTOCOL_VERSION, |w| {
                    w.integer(Tag::PROTOCOL_VERSION_MAJOR, server.version.major);
                    w.integer(Tag::PROTOCOL_VERSION_MINOR, server.version.minor);
                });
                (server.header)(w);
                w.integer(Tag::BATCH_COUNT, server.count);
            });
            w.structure(Tag::BATCH_ITEM, |w| {
                w.enumeration(Tag::OPERATION, server.operation.value());
                w.bytes(Tag::UNIQUE_BATCH_ITEM_ID, server.mark);
                (server.result)(w);
            });
        });
        faults(&Tree::read(&request).unwrap(), &Tree::read(&w.finish()).unwrap()).len()
    }

    #[test]
    fn a_right_answer_has_no_faults() {
        assert_eq!(found(&RIGHT, V1_4), 0);
        assert_eq!(found(&Server { version: V1_0, ..RIGHT }, V1_0), 0);
    }

    #[test]
    fn what_broke_clients_is_found() {
        let stray_object_type: fn(&mut Writer) = |w| {
            w.enumeration(Tag::RESULT_STATUS, 0);
            w.structure(Tag::RESPONSE_PAYLOAD, |w| {
                w.enumeration(Tag::OBJECT_TYPE, 2);
                w.text(Tag::UNIQUE_IDENTIFIER, "1");
            });
        };
        let correlated: fn(&mut Writer) = |w| {
            w.date_time(Tag::TIME_STAMP, 7);
            w.text(Tag::SERVER_CORRELATION_VALUE, "x");
        };
        let out_of_order: fn(&mut Writer) = |w| {
            w.text(Tag::SERVER_CORRELATION_VALUE, "x");
            w.date_time(Tag::TIME_STAMP, 7);
        };
        let no_reason: fn(&mut Writer) = |w| w.enumeration(Tag::RESULT_STATUS, 1);
        let later_reason: fn(&mut Writer) = |w| {
            w.enumeration(Tag::RESULT_STATUS, 1);
            w.enumeration(Tag::RESULT_REASON, ResultReason::ObjectNotFound.value());
        };
        let message_of_success: fn(&mut Writer) = |w| {
            w.enumeration(Tag::RESULT_STATUS, 0);
            w.text(Tag::RESULT_MESSAGE, "done");
            w.structure(Tag::RESPONSE_PAYLOAD, |w| w.text(Tag::UNIQUE_IDENTIFIER, "1"));
        };
        for (what, server, asked) in [
            ("another version", Server { version: V1_4, ..RIGHT }, V1_0),
            ("another operation", Server { operation: Operation::Create, ..RIGHT }, V1_4),
            ("another mark", Server { mark: b"other", ..RIGHT }, V1_4),
            ("another count", Server { count: 2, ..RIGHT }, V1_4),
            ("a field too many", Server { result: stray_object_type, ..RIGHT }, V1_4),
            ("fields out of order", Server { header: out_of_order, ..RIGHT }, V1_4),
            ("a failure without reason", Server { result: no_reason, ..RIGHT }, V1_4),
            ("a reason of 2.0", Server { result: later_reason, ..RIGHT }, V1_4),
            ("a success with a message", Server { result: message_of_success, ..RIGHT }, V1_4),
            ("a field of 1.4", Server { version: V1_0, header: correlated, ..RIGHT }, V1_0),
        ] {
            assert_eq!(found(&server, asked), 1, "{what}");
        }
        assert_eq!(found(&Server { header: correlated, ..RIGHT }, V1_4), 0);
    }
}
