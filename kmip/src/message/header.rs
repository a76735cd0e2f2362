//! The headers of requests and responses. KMIP 1.4 §7.2, 2.1 §8.2, §8.5.

use super::credential::Authentication;
use super::{Credential, Nonce};
use crate::registry::{AsynchronousIndicator, AttestationType, BatchErrorContinuationOption};
use crate::ttlv::{DateTime, DecodeError, Wire, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

structure! {
    /// Request Header. KMIP 1.4 §7.2, 2.1 §8.2. Its `Debug` shows no password.
    #[derive(Debug, PartialEq)]
    pub struct RequestHeader {
        /// The version of the message, and of the answer.
        required version: ProtocolVersion = Tag::PROTOCOL_VERSION,
        /// The longest answer that the client takes, in bytes.
        optional maximum_response_size: i32 = Tag::MAXIMUM_RESPONSE_SIZE,
        /// The client's mark, for logs.
        optional client_correlation_value: String = Tag::CLIENT_CORRELATION_VALUE [since V1_4],
        /// The server's mark, in requests of a server.
        optional server_correlation_value: String = Tag::SERVER_CORRELATION_VALUE [since V1_4],
        /// Whether the client takes asynchronous answers; absent means Prohibited.
        part asynchronous: Option<AsynchronousIndicator> = Asynchronous,
        /// Whether the client can attest; absent means no.
        optional attestation_capable: bool = Tag::ATTESTATION_CAPABLE_INDICATOR [since V1_2],
        /// How the client can attest.
        repeated attestation_types: AttestationType = Tag::ATTESTATION_TYPE [since V1_2],
        /// Who the client says he is.
        part authentication: Vec<Credential> = Authentication,
        /// What happens to the other items when one fails; absent means Stop.
        optional batch_error_continuation: BatchErrorContinuationOption = Tag::BATCH_ERROR_CONTINUATION_OPTION,
        /// Whether items are to be done in their order, see [`RequestHeader::keeps_order`].
        optional batch_order: bool = Tag::BATCH_ORDER_OPTION,
        /// The client's clock.
        optional time_stamp: DateTime = Tag::TIME_STAMP,
        /// How many batch items follow.
        required batch_count: i32 = Tag::BATCH_COUNT,
    }
}

impl RequestHeader {
    /// A header with nothing but what has to be there.
    #[must_use]
    pub const fn new(version: ProtocolVersion, batch_count: i32) -> Self {
        Self {
            version,
            maximum_response_size: None,
            client_correlation_value: None,
            server_correlation_value: None,
            asynchronous: None,
            attestation_capable: None,
            attestation_types: Vec::new(),
            authentication: Vec::new(),
            batch_error_continuation: None,
            batch_order: None,
            time_stamp: None,
            batch_count,
        }
    }

    /// Whether items have to be done in their order: where nothing is said, since 2.0 (KMIP 1.4 §7.2, 2.1 §9.8).
    #[must_use]
    pub fn keeps_order(&self) -> bool {
        self.batch_order.unwrap_or_else(|| self.version.is_2_x())
    }
}

/// Asynchronous Indicator: a Boolean in 1.x, where true is Optional; an enumeration in 2.x, which can also demand an
/// asynchronous answer. KMIP 1.4 §6.7, 2.1 §9.2.
pub struct Asynchronous;

impl Part<Option<AsynchronousIndicator>> for Asynchronous {
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::ASYNCHRONOUS_INDICATOR
    }

    fn known_in(indicator: &Option<AsynchronousIndicator>, version: ProtocolVersion) -> bool {
        version.is_2_x() || *indicator != Some(AsynchronousIndicator::Mandatory)
    }

    fn encode(indicator: &Option<AsynchronousIndicator>, w: &mut Writer) {
        match indicator {
            Some(indicator) if w.version().is_2_x() => indicator.encode(Tag::ASYNCHRONOUS_INDICATOR, w),
            Some(indicator) => {
                w.boolean(Tag::ASYNCHRONOUS_INDICATOR, *indicator != AsynchronousIndicator::Prohibited);
            }
            None => {}
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Option<AsynchronousIndicator>, DecodeError> {
        if fields.version().is_2_x() {
            return fields.optional(Tag::ASYNCHRONOUS_INDICATOR);
        }
        let welcome = fields.optional::<bool>(Tag::ASYNCHRONOUS_INDICATOR)?;
        Ok(welcome.map(|yes| if yes { AsynchronousIndicator::Optional } else { AsynchronousIndicator::Prohibited }))
    }
}

structure! {
    /// Response Header. KMIP 1.4 §7.2, 2.1 §8.5.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ResponseHeader {
        /// The version of the message.
        required version: ProtocolVersion = Tag::PROTOCOL_VERSION,
        /// The server's clock.
        required time_stamp: DateTime = Tag::TIME_STAMP,
        /// What an attestation has to answer.
        optional nonce: Nonce = Tag::NONCE [since V1_2],
        /// What proves the server to a client that gave a Hashed Password.
        optional server_hashed_password: Vec<u8> = Tag::SERVER_HASHED_PASSWORD [since V2_0],
        /// Attestations the server takes.
        repeated attestation_types: AttestationType = Tag::ATTESTATION_TYPE [since V1_2],
        /// The client's mark, in answers of a client.
        optional client_correlation_value: String = Tag::CLIENT_CORRELATION_VALUE [since V1_4],
        /// The server's mark, for logs.
        optional server_correlation_value: String = Tag::SERVER_CORRELATION_VALUE [since V1_4],
        /// How many batch items follow.
        required batch_count: i32 = Tag::BATCH_COUNT,
    }
}

impl ResponseHeader {
    /// A header with nothing but what has to be there; the count is set when the message is encoded.
    #[must_use]
    pub const fn new(version: ProtocolVersion, time_stamp: DateTime) -> Self {
        Self {
            version,
            time_stamp,
            nonce: None,
            server_hashed_password: None,
            attestation_types: Vec::new(),
            client_correlation_value: None,
            server_correlation_value: None,
            batch_count: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ttlv::{ItemType, Reader};

    fn asking(version: ProtocolVersion, asynchronous: AsynchronousIndicator) -> RequestHeader {
        RequestHeader { asynchronous: Some(asynchronous), ..RequestHeader::new(version, 1) }
    }

    fn told(header: &RequestHeader) -> (ItemType, RequestHeader) {
        let mut w = Writer::new(header.version);
        header.encode(Tag::REQUEST_HEADER, &mut w);
        let bytes = w.finish();
        let item = Reader::new(&bytes, header.version).next_item().unwrap().unwrap();
        let mut fields = item.structure().unwrap();
        while let Some(field) = fields.next_item().unwrap() {
            if field.tag == Tag::ASYNCHRONOUS_INDICATOR {
                return (field.item_type, RequestHeader::decode(&item).unwrap());
            }
        }
        panic!("no Asynchronous Indicator")
    }

    #[test]
    fn the_asynchronous_indicator_is_a_boolean_in_1_x_and_an_enumeration_in_2_x() {
        for indicator in [AsynchronousIndicator::Optional, AsynchronousIndicator::Prohibited] {
            let (of_1_4, of_2_0) = (asking(ProtocolVersion::V1_4, indicator), asking(ProtocolVersion::V2_0, indicator));
            assert_eq!(told(&of_1_4), (ItemType::Boolean, of_1_4));
            assert_eq!(told(&of_2_0), (ItemType::Enumeration, of_2_0));
        }
    }

    #[test]
    fn only_2_x_demands_an_asynchronous_answer() {
        let demanding = |version| asking(version, AsynchronousIndicator::Mandatory).known_in(version);
        assert!(demanding(ProtocolVersion::V2_1));
        assert!(!demanding(ProtocolVersion::V1_4));
    }

    #[test]
    fn order_is_kept_by_default_since_2_0() {
        let keeps =
            |version, batch_order| RequestHeader { batch_order, ..RequestHeader::new(version, 2) }.keeps_order();
        assert!(!keeps(ProtocolVersion::V1_4, None) && keeps(ProtocolVersion::V2_0, None));
        assert!(keeps(ProtocolVersion::V1_4, Some(true)) && !keeps(ProtocolVersion::V2_0, Some(false)));
    }
}
