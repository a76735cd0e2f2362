//! Messages: a header, and operations one after another. KMIP 1.4 §6, §7, 2.1 §8, §9.

mod credential;
mod extension;
mod header;
mod request;
mod response;

pub use credential::{
    AttestationCredential, Credential, DeviceCredential, HashedPasswordCredential, Nonce, OneTimePasswordCredential,
    Password, TicketCredential,
};
pub use extension::MessageExtension;
pub use header::{RequestHeader, ResponseHeader};
pub use request::{EncodeError, ItemPayload, RequestItem, RequestMessage};
pub use response::{Outcome, ResponseItem, ResponseMessage};

use crate::attribute::check_overhead;
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, Reader, Wire, Writer};
use crate::wire::Fields;
use crate::{ProtocolVersion, Tag};

/// The versions whose messages this crate decodes, newest first.
pub const SUPPORTED_VERSIONS: [ProtocolVersion; 7] = [
    ProtocolVersion::V2_1,
    ProtocolVersion::V2_0,
    ProtocolVersion::V1_4,
    ProtocolVersion::V1_3,
    ProtocolVersion::V1_2,
    ProtocolVersion::V1_1,
    ProtocolVersion::V1_0,
];

/// Bytes from the start of a message to the Protocol Version: the headers of the message and of its header.
const VERSION_AT: usize = 16;

impl Wire for ProtocolVersion {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        w.structure(tag, |w| {
            w.integer(Tag::PROTOCOL_VERSION_MAJOR, self.major);
            w.integer(Tag::PROTOCOL_VERSION_MINOR, self.minor);
        });
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(item.structure()?, |tag, _| {
            tag == Tag::PROTOCOL_VERSION_MAJOR || tag == Tag::PROTOCOL_VERSION_MINOR
        });
        let major = fields.required(Tag::PROTOCOL_VERSION_MAJOR)?;
        let minor = fields.required(Tag::PROTOCOL_VERSION_MINOR)?;
        fields.finish()?;
        Ok(Self { major, minor })
    }
}

/// The version that a message claims, even if the rest of it is broken: for the answer that says so.
#[must_use]
pub fn peek_version(message: &[u8]) -> Option<ProtocolVersion> {
    let mut reader = Reader::new(message.get(VERSION_AT..)?, ProtocolVersion::V1_0);
    let item = reader.next_item().ok()??;
    if item.tag != Tag::PROTOCOL_VERSION {
        return None;
    }
    ProtocolVersion::decode(&item).ok()
}

/// The items of a message in the version that its header names.
fn open(bytes: &[u8], message: Tag, header: Tag) -> Result<Reader<'_>, DecodeError> {
    // Whatever version it is, its name stands at the same place.
    let mut outside = Reader::new(bytes, ProtocolVersion::V1_0);
    let whole = expect(&mut outside, message)?;
    outside.finish()?;
    let mut inside = expect(&mut whole.structure()?, header)?.structure()?;
    let named = expect(&mut inside, Tag::PROTOCOL_VERSION)?;
    let version = ProtocolVersion::decode(&named)?;
    if !matches!(version.major, 1 | 2) || version.minor < 0 {
        return Err(named.error(DecodeErrorKind::UnsupportedVersion(version)));
    }
    let items = whole.structure()?.with_version(version);
    check_overhead(items.clone())?;
    Ok(items)
}

fn expect<'a>(reader: &mut Reader<'a>, tag: Tag) -> Result<Item<'a>, DecodeError> {
    let offset = reader.offset();
    let item = reader.next_item()?.ok_or(DecodeError { kind: DecodeErrorKind::MissingField(tag), offset })?;
    item.expect_tag(tag)?;
    Ok(item)
}

/// A Batch Count that lies makes the whole message invalid, and so does a message without batch items.
fn check_count(announced: i32, found: usize, offset: usize) -> Result<(), DecodeError> {
    if found > 0 && usize::try_from(announced) == Ok(found) {
        return Ok(());
    }
    Err(DecodeError { kind: DecodeErrorKind::BatchCount { announced, found }, offset })
}
