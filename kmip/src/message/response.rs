//! Response messages. KMIP 1.4 §7.

use zeroize::Zeroizing;

use super::{MessageExtension, ResponseHeader, check_count, open};
use crate::payload::{CheckResponse, ResponsePayload};
use crate::registry::{Operation, ResultReason, ResultStatus};
use crate::ttlv::{DateTime, DecodeError, DecodeErrorKind, Item, Wire, Writer};
use crate::wire::Fields;
use crate::{ProtocolVersion, Tag};

/// A response: a header and an answer to each operation that was begun.
#[derive(Debug, PartialEq)]
pub struct ResponseMessage {
    /// The header.
    pub header: ResponseHeader,
    /// The answers, in the order of the request.
    pub items: Vec<ResponseItem>,
}

/// The answer to one operation. KMIP 1.4 §7.2.
#[derive(Debug, PartialEq)]
pub struct ResponseItem {
    /// The number of the operation as the request had it; `None` where the request could not be read so far.
    pub operation: Option<u32>,
    /// The client's mark, as the request had it.
    pub unique_batch_item_id: Option<Vec<u8>>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an operation. KMIP 1.4 §6.9.
#[derive(Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "successes are the rule, and lists of outcomes are short")]
pub enum Outcome {
    /// It was done.
    Success(ResponsePayload),
    /// It was not done.
    Failure {
        /// Operation Failed.
        status: ResultStatus,
        /// The kind of failure.
        reason: ResultReason,
        /// For people; not sent if empty.
        message: String,
    },
    /// A Check found that the object may not be used so. KMIP 1.4 §4.10.
    CheckFailed {
        /// The kind of failure.
        reason: ResultReason,
        /// For people; not sent if empty.
        message: String,
        /// What of the request stood against it.
        payload: CheckResponse,
    },
    /// It was done and taken back, because a later one failed.
    Undone,
    /// It is being done.
    Pending {
        /// What to ask for the result with.
        correlation_value: Vec<u8>,
    },
}

impl Outcome {
    /// Operation Failed, with a reason and a text for people.
    #[must_use]
    pub fn failed(reason: ResultReason, message: impl Into<String>) -> Self {
        Self::Failure { status: ResultStatus::OperationFailed, reason, message: message.into() }
    }

    /// The status on the wire.
    #[must_use]
    pub const fn status(&self) -> ResultStatus {
        match self {
            Self::Success(_) => ResultStatus::Success,
            Self::Failure { status, .. } => *status,
            Self::CheckFailed { .. } => ResultStatus::OperationFailed,
            Self::Undone => ResultStatus::OperationUndone,
            Self::Pending { .. } => ResultStatus::OperationPending,
        }
    }

    /// Whether a peer of `version` can be told of it. A success of which it cannot is written as a failure.
    #[must_use]
    pub fn known_in(&self, version: ProtocolVersion) -> bool {
        match self {
            Self::Success(payload) => payload.known_in(version),
            Self::Failure { reason, .. } | Self::CheckFailed { reason, .. } => reason.known_in(version),
            Self::Undone | Self::Pending { .. } => true,
        }
    }
}

impl From<ResponsePayload> for Outcome {
    fn from(payload: ResponsePayload) -> Self {
        Self::Success(payload)
    }
}

impl ResponseMessage {
    /// A response in `version`, made at `time_stamp`.
    #[must_use]
    pub fn new(version: ProtocolVersion, time_stamp: DateTime, items: Vec<ResponseItem>) -> Self {
        let mut header = ResponseHeader::new(version, time_stamp);
        header.batch_count = i32::try_from(items.len()).unwrap_or(i32::MAX);
        Self { header, items }
    }

    /// Writes the response in the version of its header; the Batch Count is that of the items.
    ///
    /// Whatever the version does not know is left out. Where that cannot be, the item becomes a General Failure
    /// ([`Outcome::known_in`] tells beforehand).
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut header = self.header.clone();
        header.batch_count = i32::try_from(self.items.len()).unwrap_or(i32::MAX);
        let mut w = Writer::new(header.version);
        w.structure(Tag::RESPONSE_MESSAGE, |w| {
            header.encode(Tag::RESPONSE_HEADER, w);
            for item in &self.items {
                item.encode(w);
            }
        });
        w.finish()
    }

    /// Puts a response together from items that were written before, one by one, by [`ResponseItem::to_bytes`]: a
    /// server that has to keep an answer under a size knows it after each item.
    #[must_use]
    pub fn assemble(header: &ResponseHeader, items: &[Zeroizing<Vec<u8>>]) -> Zeroizing<Vec<u8>> {
        let header = ResponseHeader { batch_count: i32::try_from(items.len()).unwrap_or(i32::MAX), ..header.clone() };
        let mut w = Writer::new(header.version);
        w.structure(Tag::RESPONSE_MESSAGE, |w| {
            header.encode(Tag::RESPONSE_HEADER, w);
            for item in items {
                w.raw(item);
            }
        });
        w.finish()
    }

    /// Reads a response.
    ///
    /// # Errors
    /// [`DecodeError`] for any fault: a client has no use for half an answer.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let reader = open(bytes, Tag::RESPONSE_MESSAGE, Tag::RESPONSE_HEADER)?;
        let mut fields = Fields::new(reader, |tag, _| tag == Tag::RESPONSE_HEADER || tag == Tag::BATCH_ITEM);
        let header_item = fields.require(Tag::RESPONSE_HEADER)?;
        let header = ResponseHeader::decode(&header_item)?;
        let items = fields.repeated_by(Tag::BATCH_ITEM, crate::limits::MAX_BATCH_ITEMS, ResponseItem::decode)?;
        fields.finish()?;
        check_count(header.batch_count, items.len(), header_item.offset)?;
        Ok(Self { header, items })
    }
}

impl ResponseItem {
    /// An operation that was done.
    #[must_use]
    pub fn success(unique_batch_item_id: Option<Vec<u8>>, payload: impl Into<ResponsePayload>) -> Self {
        let payload = payload.into();
        Self { operation: Some(payload.operation().value()), unique_batch_item_id, outcome: Outcome::Success(payload) }
    }

    /// An operation that was not done.
    #[must_use]
    pub fn failure(
        operation: Option<u32>,
        unique_batch_item_id: Option<Vec<u8>>,
        reason: ResultReason,
        message: impl Into<String>,
    ) -> Self {
        Self { operation, unique_batch_item_id, outcome: Outcome::failed(reason, message) }
    }

    /// The item alone, as it stands in a response of `version`; for [`ResponseMessage::assemble`].
    #[must_use]
    pub fn to_bytes(&self, version: ProtocolVersion) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::new(version);
        self.encode(&mut w);
        w.finish()
    }

    fn is_field(tag: Tag, _version: ProtocolVersion) -> bool {
        [
            Tag::OPERATION,
            Tag::UNIQUE_BATCH_ITEM_ID,
            Tag::RESULT_STATUS,
            Tag::RESULT_REASON,
            Tag::RESULT_MESSAGE,
            Tag::ASYNCHRONOUS_CORRELATION_VALUE,
            Tag::RESPONSE_PAYLOAD,
            Tag::MESSAGE_EXTENSION,
        ]
        .contains(&tag)
    }

    fn encode(&self, w: &mut Writer) {
        w.structure(Tag::BATCH_ITEM, |w| {
            if let Some(operation) = self.operation {
                w.enumeration(Tag::OPERATION, operation);
            }
            if let Some(id) = &self.unique_batch_item_id {
                w.bytes(Tag::UNIQUE_BATCH_ITEM_ID, id);
            }
            match &self.outcome {
                Outcome::Success(payload) if payload.known_in(w.version()) => {
                    ResultStatus::Success.encode(Tag::RESULT_STATUS, w);
                    payload.encode(w);
                }
                Outcome::Success(_) => write_failure(
                    w,
                    ResultStatus::OperationFailed,
                    ResultReason::GeneralFailure,
                    "the result cannot be expressed in this protocol version",
                ),
                Outcome::Failure { status, reason, message } => write_failure(w, *status, *reason, message),
                Outcome::CheckFailed { reason, message, payload } => {
                    write_failure(w, ResultStatus::OperationFailed, *reason, message);
                    payload.encode(Tag::RESPONSE_PAYLOAD, w);
                }
                Outcome::Undone => ResultStatus::OperationUndone.encode(Tag::RESULT_STATUS, w),
                Outcome::Pending { correlation_value } => {
                    ResultStatus::OperationPending.encode(Tag::RESULT_STATUS, w);
                    w.bytes(Tag::ASYNCHRONOUS_CORRELATION_VALUE, correlation_value);
                }
            }
        });
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(item.structure()?, Self::is_field);
        let operation = fields.take(Tag::OPERATION)?.map(|operation| operation.enumeration()).transpose()?;
        let unique_batch_item_id = fields.optional(Tag::UNIQUE_BATCH_ITEM_ID)?;
        let status = fields.required(Tag::RESULT_STATUS)?;
        let reason = fields.optional::<ResultReason>(Tag::RESULT_REASON)?;
        let message = fields.optional::<String>(Tag::RESULT_MESSAGE)?.unwrap_or_default();
        let correlation_value = fields.optional(Tag::ASYNCHRONOUS_CORRELATION_VALUE)?;
        let payload = fields.take(Tag::RESPONSE_PAYLOAD)?;
        let extension = fields.optional::<MessageExtension>(Tag::MESSAGE_EXTENSION)?;
        fields.finish()?;
        if extension.is_some_and(|extension| extension.criticality_indicator) {
            return Err(item.error(DecodeErrorKind::Invalid {
                tag: Tag::MESSAGE_EXTENSION,
                why: "is critical and not understood",
            }));
        }
        let missing = |tag| item.error(DecodeErrorKind::MissingField(tag));
        let known = operation.and_then(|code| Operation::try_from(code).ok());
        let outcome = match status {
            ResultStatus::Success => {
                let payload = payload.ok_or_else(|| missing(Tag::RESPONSE_PAYLOAD))?;
                let operation = known.ok_or_else(|| missing(Tag::OPERATION))?;
                ResponsePayload::decode(operation, &payload)?.map(Outcome::Success).ok_or_else(|| {
                    payload.error(DecodeErrorKind::Invalid { tag: Tag::OPERATION, why: "is one without typed payload" })
                })?
            }
            ResultStatus::OperationPending => Outcome::Pending {
                correlation_value: correlation_value.ok_or_else(|| missing(Tag::ASYNCHRONOUS_CORRELATION_VALUE))?,
            },
            ResultStatus::OperationUndone => Outcome::Undone,
            status => {
                let reason = reason.ok_or_else(|| missing(Tag::RESULT_REASON))?;
                match payload {
                    Some(payload) if known == Some(Operation::Check) => {
                        Outcome::CheckFailed { reason, message, payload: CheckResponse::decode(&payload)? }
                    }
                    _ => Outcome::Failure { status, reason, message },
                }
            }
        };
        Ok(Self { operation, unique_batch_item_id, outcome })
    }
}

fn write_failure(w: &mut Writer, status: ResultStatus, reason: ResultReason, message: &str) {
    status.encode(Tag::RESULT_STATUS, w);
    let reason = if reason.known_in(w.version()) { reason } else { ResultReason::GeneralFailure };
    reason.encode(Tag::RESULT_REASON, w);
    if !message.is_empty() {
        w.text(Tag::RESULT_MESSAGE, message);
    }
}

#[cfg(test)]
mod tests {
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
        let Outcome::Success(ResponsePayload::GetAttributes(read)) =
            told(V1_0, ResponseItem::success(None, attributes))
        else {
            panic!("no answer to Get Attributes")
        };
        assert_eq!(read.attributes, [V::CryptographicLength(256).into()]);
    }

    #[test]
    fn a_refused_check_says_what_stood_against_it() {
        let payload = CheckResponse { usage_limits_count: Some(500), ..CheckResponse::default() };
        let outcome =
            Outcome::CheckFailed { reason: ResultReason::IllegalOperation, message: "too many".into(), payload };
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
        assert_eq!(
            refusal(|w| status(w, ResultStatus::OperationPending)),
            missing(Tag::ASYNCHRONOUS_CORRELATION_VALUE)
        );
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
}
