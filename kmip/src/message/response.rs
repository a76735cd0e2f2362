//! Response messages. KMIP 1.4 §7, 2.1 §8.

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
    /// It was done and taken back, because a later one failed. What was answered before may go with it.
    Undone(Option<ResponsePayload>),
    /// It is being done.
    Pending {
        /// What to ask for the result with.
        asynchronous_correlation_value: Vec<u8>,
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
            Self::Undone(_) => ResultStatus::OperationUndone,
            Self::Pending { .. } => ResultStatus::OperationPending,
        }
    }

    /// Whether a peer of `version` can be told of it. A success of which it cannot is written as a failure.
    #[must_use]
    pub fn known_in(&self, version: ProtocolVersion) -> bool {
        match self {
            Self::Success(payload) => payload.known_in(version),
            Self::Failure { reason, .. } | Self::CheckFailed { reason, .. } => reason.known_in(version),
            Self::Undone(_) | Self::Pending { .. } => true,
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
                Outcome::Undone(payload) => {
                    ResultStatus::OperationUndone.encode(Tag::RESULT_STATUS, w);
                    if let Some(payload) = payload
                        && payload.known_in(w.version())
                    {
                        payload.encode(w);
                    }
                }
                Outcome::Pending { asynchronous_correlation_value } => {
                    ResultStatus::OperationPending.encode(Tag::RESULT_STATUS, w);
                    w.bytes(Tag::ASYNCHRONOUS_CORRELATION_VALUE, asynchronous_correlation_value);
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
        let asynchronous_correlation_value = fields.optional(Tag::ASYNCHRONOUS_CORRELATION_VALUE)?;
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
                Outcome::Success(ResponsePayload::decode(operation, &payload)?)
            }
            ResultStatus::OperationPending => Outcome::Pending {
                asynchronous_correlation_value: asynchronous_correlation_value
                    .ok_or_else(|| missing(Tag::ASYNCHRONOUS_CORRELATION_VALUE))?,
            },
            ResultStatus::OperationUndone => match (known, payload) {
                (Some(operation), Some(payload)) => {
                    Outcome::Undone(Some(ResponsePayload::decode(operation, &payload)?))
                }
                _ => Outcome::Undone(None),
            },
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
mod tests;
