//! What a peer is told, and what of an answer is refused.

use super::*;
use crate::payload::{DiscoverVersionsResponse, GetAttributesResponse, GetResponse, QueryResponse};
use crate::registry::ObjectType;
use crate::ttlv::OwnedItem;

const V1_0: ProtocolVersion = ProtocolVersion::V1_0;
const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

fn response(version: ProtocolVersion, item: ResponseItem) -> ResponseMessage {
    ResponseMessage::new(version, DateTime(1_700_000_000), vec![item])
}

/// What a peer reads of the only item.
fn told(version: ProtocolVersion, item: ResponseItem) -> Outcome {
    ResponseMessage::decode(&response(version, item).encode()).unwrap().items.remove(0).outcome
}

/// A response with one item, written by hand.
fn raw(item: impl FnOnce(&mut Writer)) -> Zeroizing<Vec<u8>> {
    let mut w = Writer::new(V1_4);
    w.structure(Tag::RESPONSE_MESSAGE, |w| {
        let mut header = ResponseHeader::new(V1_4, DateTime(0));
        header.batch_count = 1;
        header.encode(Tag::RESPONSE_HEADER, w);
        w.structure(Tag::BATCH_ITEM, item);
    });
    w.finish()
}

fn refusal(item: impl FnOnce(&mut Writer)) -> DecodeErrorKind {
    ResponseMessage::decode(&raw(item)).unwrap_err().kind
}

#[test]
fn the_batch_count_is_that_of_the_items() {
    let mut message = response(V1_4, ResponseItem::failure(None, None, ResultReason::InvalidMessage, "no"));
    message.header.batch_count = 7;
    assert_eq!(ResponseMessage::decode(&message.encode()).unwrap().header.batch_count, 1);
}

#[test]
fn a_reason_that_the_version_does_not_know_becomes_a_general_failure() {
    let failure = |reason| ResponseItem::failure(Some(0x0A), None, reason, "no such object");
    let reason = |outcome| match outcome {
        Outcome::Failure { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(told(V1_4, failure(ResultReason::ObjectNotFound))), ResultReason::GeneralFailure);
    assert_eq!(reason(told(V1_0, failure(ResultReason::ItemNotFound))), ResultReason::ItemNotFound);
}

#[test]
fn a_success_that_the_version_cannot_express_becomes_a_failure() {
    let item = ResponseItem::success(Some(vec![1]), DiscoverVersionsResponse::default());
    assert!(!item.outcome.known_in(V1_0));
    assert!(matches!(
        told(V1_0, item),
        Outcome::Failure { reason: ResultReason::GeneralFailure, message, .. } if !message.is_empty()
    ));
}

#[test]
fn lists_leave_out_what_the_version_does_not_know() {
    let query = QueryResponse {
        operations: vec![Operation::Create, Operation::DiscoverVersions, Operation::Ping],
        object_types: vec![ObjectType::Template, ObjectType::PgpKey],
        ..QueryResponse::default()
    };
    let Outcome::Success(ResponsePayload::Query(read)) = told(V1_0, ResponseItem::success(None, query)) else {
        panic!("no answer to Query")
    };
    assert_eq!((read.operations, read.object_types), (vec![Operation::Create], vec![ObjectType::Template]));
}

#[test]
fn attributes_that_the_version_does_not_have_are_left_out() {
    use crate::attribute::AttributeValue as V;
    let all = [V::Sensitive(true), V::CryptographicLength(256), V::Fresh(true)];
    let attributes = GetAttributesResponse {
        unique_identifier: "a".into(),
        attributes: all.iter().cloned().map(Into::into).collect(),
    };
    let Outcome::Success(ResponsePayload::GetAttributes(read)) = told(V1_0, ResponseItem::success(None, attributes))
    else {
        panic!("no answer to Get Attributes")
    };
    assert_eq!(read.attributes, [V::CryptographicLength(256).into()]);
}

#[test]
fn a_refused_check_says_what_stood_against_it() {
    let payload = CheckResponse { usage_limits_count: Some(500), ..CheckResponse::default() };
    let outcome = Outcome::CheckFailed { reason: ResultReason::IllegalOperation, message: "too many".into(), payload };
    let item = ResponseItem { operation: Some(Operation::Check.value()), unique_batch_item_id: None, outcome };
    let message = response(V1_4, item);
    assert_eq!(ResponseMessage::decode(&message.encode()).unwrap(), message);
}

#[test]
fn an_answer_to_an_unreadable_message_names_no_operation() {
    let message = response(V1_4, ResponseItem::failure(None, None, ResultReason::InvalidMessage, ""));
    let read = ResponseMessage::decode(&message.encode()).unwrap();
    assert_eq!(read, message);
    assert_eq!(read.items[0].operation, None);
}

#[test]
fn what_an_outcome_needs_has_to_be_there() {
    let status = |w: &mut Writer, status: ResultStatus| status.encode(Tag::RESULT_STATUS, w);
    let missing = DecodeErrorKind::MissingField;
    assert_eq!(refusal(|w| status(w, ResultStatus::OperationFailed)), missing(Tag::RESULT_REASON));
    assert_eq!(refusal(|w| status(w, ResultStatus::Success)), missing(Tag::RESPONSE_PAYLOAD));
    assert_eq!(refusal(|w| status(w, ResultStatus::OperationPending)), missing(Tag::ASYNCHRONOUS_CORRELATION_VALUE));
    let nameless = |w: &mut Writer| {
        status(w, ResultStatus::Success);
        w.structure(Tag::RESPONSE_PAYLOAD, |_| {});
    };
    assert_eq!(refusal(nameless), missing(Tag::OPERATION));
}

#[test]
fn a_critical_extension_is_not_passed_over() {
    let with_extension = |critical| {
        raw(|w| {
            w.enumeration(Tag::OPERATION, 0x0A);
            ResultStatus::OperationUndone.encode(Tag::RESULT_STATUS, w);
            let mut vendor = Writer::new(V1_4);
            vendor.structure(Tag::VENDOR_EXTENSION, |_| {});
            let extension = MessageExtension {
                vendor_identification: "Acme".into(),
                criticality_indicator: critical,
                vendor_extension: OwnedItem::from_bytes(&vendor.finish()).unwrap(),
            };
            extension.encode(Tag::MESSAGE_EXTENSION, w);
        })
    };
    assert!(ResponseMessage::decode(&with_extension(false)).is_ok());
    let refused = ResponseMessage::decode(&with_extension(true)).unwrap_err();
    assert!(matches!(refused.kind, DecodeErrorKind::Invalid { tag: Tag::MESSAGE_EXTENSION, .. }));
}

#[test]
fn debug_of_an_answer_shows_no_key() {
    use crate::object::{KeyBlock, ManagedObject, SymmetricKey};
    let key = secret::Secret::copy_from(b"0123456789abcdef");
    let key_block = KeyBlock::raw(key, crate::registry::CryptographicAlgorithm::Aes, 128);
    let got = GetResponse {
        object_type: ObjectType::SymmetricKey,
        unique_identifier: "a".into(),
        object: ManagedObject::SymmetricKey(SymmetricKey { key_block }),
    };
    let shown = format!("{:?}", response(V1_4, ResponseItem::success(None, got)));
    assert!(shown.contains("Secret(16 bytes)"), "{shown}");
    assert!(!shown.contains("0123456789abcdef") && !shown.contains("48, 49, 50"), "{shown}");
}

#[test]
fn an_operation_that_was_undone_may_still_say_what_it_did() {
    let undone = |payload| ResponseItem {
        operation: Some(Operation::Activate.value()),
        unique_batch_item_id: None,
        outcome: Outcome::Undone(payload),
    };
    let activated = || Some(crate::payload::ActivateResponse { unique_identifier: "a".into() }.into());
    assert_eq!(told(ProtocolVersion::V2_1, undone(activated())), Outcome::Undone(activated()));
    assert_eq!(told(V1_0, undone(None)), Outcome::Undone(None));
}

#[test]
fn the_proof_of_the_server_is_for_2_x() {
    let proof = |version| {
        let mut message = response(version, ResponseItem::failure(None, None, ResultReason::InvalidMessage, ""));
        message.header.server_hashed_password = Some(vec![1; 32]);
        ResponseMessage::decode(&message.encode()).unwrap().header.server_hashed_password
    };
    assert_eq!((proof(V1_4), proof(ProtocolVersion::V2_0)), (None, Some(vec![1; 32])));
}
