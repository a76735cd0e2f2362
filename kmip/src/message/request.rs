//! Request messages. KMIP 1.4 §7, 2.1 §8.

use thiserror::Error;
use zeroize::Zeroizing;

use super::{MessageExtension, RequestHeader, check_count, open};
use crate::limits::{MAX_BATCH_ITEMS, MAX_MESSAGE_EXTENSIONS};
use crate::payload::RequestPayload;
use crate::registry::Operation;
use crate::ttlv::{DecodeError, Item, Reader, Wire, Writer};
use crate::wire::Fields;
use crate::{ProtocolVersion, Tag};

/// A request: a header and at least one operation.
#[derive(Debug, PartialEq)]
pub struct RequestMessage {
    /// The header.
    pub header: RequestHeader,
    /// The operations, in order.
    pub items: Vec<RequestItem>,
}

/// One operation of a request. KMIP 1.4 §7.2, 2.1 §8.3.
#[derive(Debug, PartialEq)]
pub struct RequestItem {
    /// The operation; a number that no version knows is an error, 0 where the item names none that can be read.
    pub operation: Result<Operation, u32>,
    /// Since 2.0: whether the answer is to leave out the Data that the operation makes.
    pub ephemeral: Option<bool>,
    /// The client's mark; goes back with the answer.
    pub unique_batch_item_id: Option<Vec<u8>>,
    /// What is asked.
    pub payload: ItemPayload,
    /// Vendors' additions; 1.x has at most one.
    pub message_extensions: Vec<MessageExtension>,
}

/// What a batch item asks, as far as it can be read.
#[derive(Debug, PartialEq)]
pub enum ItemPayload {
    /// A payload with a type.
    Typed(RequestPayload),
    /// The operation has no typed payload, or the message's version does not know it.
    Unsupported,
    /// The item is broken. Others in the message are not (KMIP 1.4 §11.1).
    Malformed(DecodeError),
}

/// Why a request cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The version does not know the operation, or a value that cannot be left out.
    #[error("KMIP {version} cannot express this {operation}")]
    UnknownToVersion {
        /// The operation.
        operation: Operation,
        /// The version of the header.
        version: ProtocolVersion,
    },
    /// The version does not know a value of the header, or a password is not UTF-8.
    #[error("KMIP {0} cannot express this header")]
    Header(ProtocolVersion),
    /// An item was decoded, but not into a payload that could be written again.
    #[error("batch item {0} has no payload")]
    NoPayload(usize),
    /// The header announces another number of items, or there is none.
    #[error("batch count {announced} with {found} items")]
    BatchCount {
        /// In the header.
        announced: i32,
        /// In the message.
        found: usize,
    },
}

impl RequestMessage {
    /// A request of one operation.
    #[must_use]
    pub fn single(version: ProtocolVersion, payload: impl Into<RequestPayload>) -> Self {
        Self { header: RequestHeader::new(version, 1), items: vec![RequestItem::new(payload)] }
    }

    /// A request of several operations, done in order, each with its number from 1 (four bytes, big endian) as Unique
    /// Batch Item ID.
    #[must_use]
    pub fn batch(version: ProtocolVersion, payloads: impl IntoIterator<Item = RequestPayload>) -> Self {
        let items: Vec<_> = (1_u32..)
            .zip(payloads)
            .map(|(number, payload)| RequestItem {
                unique_batch_item_id: Some(number.to_be_bytes().to_vec()),
                ..RequestItem::new(payload)
            })
            .collect();
        let count = i32::try_from(items.len()).unwrap_or(i32::MAX);
        let mut header = RequestHeader::new(version, count);
        header.batch_order = (count > 1).then_some(true);
        Self { header, items }
    }

    /// Reads a request. What is wrong inside one batch item spoils that item only, see [`ItemPayload::Malformed`].
    ///
    /// # Errors
    /// [`DecodeError`] for a fault of framing or header, a version of another major number, a Batch Count that does
    /// not agree with the items, or more than [`MAX_BATCH_ITEMS`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let reader = open(bytes, Tag::REQUEST_MESSAGE, Tag::REQUEST_HEADER)?;
        let mut fields = Fields::new(reader, |tag, _| tag == Tag::REQUEST_HEADER || tag == Tag::BATCH_ITEM);
        let header_item = fields.require(Tag::REQUEST_HEADER)?;
        let header = RequestHeader::decode(&header_item)?;
        let items = fields.repeated_by(Tag::BATCH_ITEM, MAX_BATCH_ITEMS, |item| Ok(RequestItem::decode(item)))?;
        fields.finish()?;
        check_count(header.batch_count, items.len(), header_item.offset)?;
        Ok(Self { header, items })
    }

    /// Writes the request in the version of its header.
    ///
    /// # Errors
    /// [`EncodeError`] where that version has no words for it.
    pub fn encode(&self) -> Result<Zeroizing<Vec<u8>>, EncodeError> {
        let version = self.header.version;
        if self.items.is_empty() || usize::try_from(self.header.batch_count) != Ok(self.items.len()) {
            return Err(EncodeError::BatchCount { announced: self.header.batch_count, found: self.items.len() });
        }
        if !self.header.known_in(version) {
            return Err(EncodeError::Header(version));
        }
        for (number, item) in self.items.iter().enumerate() {
            match &item.payload {
                ItemPayload::Typed(payload) if payload.known_in(version) && item.is_known_around(version) => {}
                ItemPayload::Typed(payload) => {
                    return Err(EncodeError::UnknownToVersion { operation: payload.operation(), version });
                }
                _ => return Err(EncodeError::NoPayload(number)),
            }
        }
        let mut w = Writer::new(version);
        w.structure(Tag::REQUEST_MESSAGE, |w| {
            self.header.encode(Tag::REQUEST_HEADER, w);
            for item in &self.items {
                item.encode(w);
            }
        });
        Ok(w.finish())
    }
}

impl RequestItem {
    /// An operation without mark or extension.
    #[must_use]
    pub fn new(payload: impl Into<RequestPayload>) -> Self {
        let payload = payload.into();
        Self {
            operation: Ok(payload.operation()),
            ephemeral: None,
            unique_batch_item_id: None,
            payload: ItemPayload::Typed(payload),
            message_extensions: Vec::new(),
        }
    }

    /// The number of the operation, to go back with the answer; `None` where none could be read.
    #[must_use]
    pub fn operation_code(&self) -> Option<u32> {
        match self.operation {
            Ok(operation) => Some(operation.value()),
            Err(0) => None,
            Err(code) => Some(code),
        }
    }

    /// The same item about the object `id`: what is asked when a name in a request means several objects (KMIP 2.1
    /// §11.58). It is written and read again, because what holds secrets is not copied otherwise. `None` where the item
    /// is not about one object, or cannot be read.
    #[must_use]
    pub fn about(&self, id: &str, version: ProtocolVersion) -> Option<Self> {
        let ItemPayload::Typed(payload) = &self.payload else { return None };
        let mut w = Writer::new(version);
        payload.encode(&mut w);
        let bytes = w.finish();
        let item = Reader::new(&bytes, version).next_item().ok()??;
        let mut payload = RequestPayload::decode(payload.operation(), &item).ok()?;
        *payload.identifier_mut()? = id.into();
        Some(Self {
            operation: self.operation,
            ephemeral: self.ephemeral,
            unique_batch_item_id: self.unique_batch_item_id.clone(),
            payload: ItemPayload::Typed(payload),
            message_extensions: self.message_extensions.clone(),
        })
    }

    fn is_field(tag: Tag, version: ProtocolVersion) -> bool {
        [Tag::OPERATION, Tag::UNIQUE_BATCH_ITEM_ID, Tag::REQUEST_PAYLOAD, Tag::MESSAGE_EXTENSION].contains(&tag)
            || (tag == Tag::EPHEMERAL && version.is_2_x())
    }

    /// Whether `version` knows what stands around the payload and may not be left out.
    fn is_known_around(&self, version: ProtocolVersion) -> bool {
        version.is_2_x() || (self.ephemeral != Some(true) && self.message_extensions.len() <= 1)
    }

    fn encode(&self, w: &mut Writer) {
        w.structure(Tag::BATCH_ITEM, |w| {
            if let Some(operation) = self.operation_code() {
                w.enumeration(Tag::OPERATION, operation);
            }
            if let Some(ephemeral) = self.ephemeral
                && w.version().is_2_x()
            {
                w.boolean(Tag::EPHEMERAL, ephemeral);
            }
            if let Some(id) = &self.unique_batch_item_id {
                w.bytes(Tag::UNIQUE_BATCH_ITEM_ID, id);
            }
            if let ItemPayload::Typed(payload) = &self.payload {
                payload.encode(w);
            }
            for extension in &self.message_extensions {
                extension.encode(Tag::MESSAGE_EXTENSION, w);
            }
        });
    }

    fn decode(item: &Item<'_>) -> Self {
        let mut decoded = Self {
            operation: Err(0),
            ephemeral: None,
            unique_batch_item_id: None,
            payload: ItemPayload::Unsupported,
            message_extensions: Vec::new(),
        };
        // Operation and mark come first, so the answer to a broken item can name both.
        if let Err(fault) = decoded.fill(item) {
            decoded.payload = ItemPayload::Malformed(fault);
        }
        decoded
    }

    fn fill(&mut self, item: &Item<'_>) -> Result<(), DecodeError> {
        let mut fields = Fields::new(item.structure()?, Self::is_field);
        let code = fields.require(Tag::OPERATION)?.enumeration()?;
        self.operation = Operation::try_from(code).map_err(|_| code);
        if fields.version().is_2_x() {
            self.ephemeral = fields.optional(Tag::EPHEMERAL)?;
        }
        self.unique_batch_item_id = fields.optional(Tag::UNIQUE_BATCH_ITEM_ID)?;
        let payload = fields.require(Tag::REQUEST_PAYLOAD)?;
        if let Ok(operation) = self.operation
            && operation.known_in(fields.version())
        {
            self.payload = ItemPayload::Typed(RequestPayload::decode(operation, &payload)?);
        }
        let limit = if fields.version().is_2_x() { MAX_MESSAGE_EXTENSIONS } else { 1 };
        self.message_extensions = fields.repeated_by(Tag::MESSAGE_EXTENSION, limit, MessageExtension::decode)?;
        fields.finish()
    }
}

#[cfg(test)]
mod tests;
