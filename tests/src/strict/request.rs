//! Requests put together by hand, in the words of their version: nothing of the server's own encoder but the bytes.

use kmip::registry::{
    CryptographicAlgorithm, KeyFormatType, NameType, ObjectType, Operation, QueryFunction, RevocationReasonCode,
};
use kmip::ttlv::Writer;
use kmip::{ProtocolVersion, Tag};

/// A vendor's type: the standard has none of its own.
const OPAQUE_DATA_TYPE: u32 = 0x8000_0001;

/// The value of an attribute.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// An Integer, or a mask.
    Integer(i32),
    /// An Enumeration.
    Enumeration(u32),
    /// A Text String.
    Text(&'a str),
    /// A Boolean.
    Boolean(bool),
    /// A Date-Time.
    Date(i64),
    /// A Name, which is free text.
    Name(&'a str),
    /// Application Specific Information: name space and data.
    Application(&'a str, &'a str),
}

/// An attribute with its name in 1.x.
pub type Attribute<'a> = (&'a str, Value<'a>);

impl Value<'_> {
    fn write(self, tag: Tag, w: &mut Writer) {
        match self {
            Self::Integer(value) => w.integer(tag, value),
            Self::Enumeration(value) => w.enumeration(tag, value),
            Self::Text(value) => w.text(tag, value),
            Self::Boolean(value) => w.boolean(tag, value),
            Self::Date(value) => w.date_time(tag, value),
            Self::Name(value) => w.structure(tag, |w| {
                w.text(Tag::NAME_VALUE, value);
                w.enumeration(Tag::NAME_TYPE, NameType::UninterpretedTextString.value());
            }),
            Self::Application(space, data) => w.structure(tag, |w| {
                w.text(Tag::APPLICATION_NAMESPACE, space);
                w.text(Tag::APPLICATION_DATA, data);
            }),
        }
    }
}

/// A message of one operation.
#[derive(Clone, Debug)]
pub struct Request {
    version: ProtocolVersion,
    operation: u32,
    mark: Option<Vec<u8>>,
    maximum_response_size: Option<i32>,
    payload: Vec<u8>,
}

impl Request {
    /// An operation and the fields of its payload.
    #[must_use]
    pub fn new(version: ProtocolVersion, operation: Operation, fields: impl FnOnce(&mut Writer)) -> Self {
        let mut payload = Writer::new(version);
        payload.structure(Tag::REQUEST_PAYLOAD, fields);
        let payload = payload.finish().to_vec();
        Self { version, operation: operation.value(), mark: None, maximum_response_size: None, payload }
    }

    /// With this Unique Batch Item ID.
    #[must_use]
    pub fn marked(self, mark: &[u8]) -> Self {
        Self { mark: Some(mark.to_vec()), ..self }
    }

    /// With this Maximum Response Size, in bytes.
    #[must_use]
    pub fn at_most(self, size: i32) -> Self {
        Self { maximum_response_size: Some(size), ..self }
    }

    /// An operation on an object and nothing else: Get, Activate, Destroy, Get Attributes, Get Attribute List, …
    #[must_use]
    pub fn on(version: ProtocolVersion, operation: Operation, identifier: &str) -> Self {
        Self::new(version, operation, |w| w.text(Tag::UNIQUE_IDENTIFIER, identifier))
    }

    /// Discover Versions.
    #[must_use]
    pub fn versions(version: ProtocolVersion) -> Self {
        Self::new(version, Operation::DiscoverVersions, |_| {})
    }

    /// Query.
    #[must_use]
    pub fn query(version: ProtocolVersion, functions: &[QueryFunction]) -> Self {
        Self::new(version, Operation::Query, |w| {
            for function in functions {
                w.enumeration(Tag::QUERY_FUNCTION, function.value());
            }
        })
    }

    /// Create of a symmetric key.
    #[must_use]
    pub fn create(version: ProtocolVersion, of: &[Attribute<'_>]) -> Self {
        Self::new(version, Operation::Create, |w| {
            w.enumeration(Tag::OBJECT_TYPE, ObjectType::SymmetricKey.value());
            attributes(w, Tag::TEMPLATE_ATTRIBUTE, Tag::ATTRIBUTES, of);
        })
    }

    /// Register of an AES key.
    #[must_use]
    pub fn register_key(version: ProtocolVersion, key: &[u8], of: &[Attribute<'_>]) -> Self {
        Self::register(version, ObjectType::SymmetricKey, of, |w| {
            w.structure(Tag::SYMMETRIC_KEY, |w| {
                w.structure(Tag::KEY_BLOCK, |w| {
                    w.enumeration(Tag::KEY_FORMAT_TYPE, KeyFormatType::Raw.value());
                    w.structure(Tag::KEY_VALUE, |w| w.bytes(Tag::KEY_MATERIAL, key));
                    w.enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM, CryptographicAlgorithm::Aes.value());
                    w.integer(Tag::CRYPTOGRAPHIC_LENGTH, i32::try_from(key.len()).map_or(0, |len| 8 * len));
                });
            });
        })
    }

    /// Register of something opaque.
    #[must_use]
    pub fn register_opaque(version: ProtocolVersion, value: &[u8], of: &[Attribute<'_>]) -> Self {
        Self::register(version, ObjectType::OpaqueObject, of, |w| {
            w.structure(Tag::OPAQUE_OBJECT, |w| {
                w.enumeration(Tag::OPAQUE_DATA_TYPE, OPAQUE_DATA_TYPE);
                w.bytes(Tag::OPAQUE_DATA_VALUE, value);
            });
        })
    }

    fn register(
        version: ProtocolVersion,
        kind: ObjectType,
        of: &[Attribute<'_>],
        object: impl FnOnce(&mut Writer),
    ) -> Self {
        Self::new(version, Operation::Register, |w| {
            w.enumeration(Tag::OBJECT_TYPE, kind.value());
            attributes(w, Tag::TEMPLATE_ATTRIBUTE, Tag::ATTRIBUTES, of);
            object(w);
        })
    }

    /// Locate, at most so many from such a place on.
    #[must_use]
    pub fn locate(version: ProtocolVersion, page: Option<(i32, i32)>, of: &[Attribute<'_>]) -> Self {
        Self::new(version, Operation::Locate, |w| {
            if let Some((maximum, offset)) = page {
                w.integer(Tag::MAXIMUM_ITEMS, maximum);
                w.integer(Tag::OFFSET_ITEMS, offset);
            }
            if version >= ProtocolVersion::V2_0 {
                attributes(w, Tag::TEMPLATE_ATTRIBUTE, Tag::ATTRIBUTES, of);
            } else {
                of.iter().for_each(|one| attribute(w, one));
            }
        })
    }

    /// Revoke because the object is not needed any more.
    #[must_use]
    pub fn revoke(version: ProtocolVersion, identifier: &str) -> Self {
        Self::new(version, Operation::Revoke, |w| {
            w.text(Tag::UNIQUE_IDENTIFIER, identifier);
            w.structure(Tag::REVOCATION_REASON, |w| {
                w.enumeration(Tag::REVOCATION_REASON_CODE, RevocationReasonCode::CessationOfOperation.value());
            });
        })
    }

    /// Add Attribute or, to a single value, Modify Attribute.
    #[must_use]
    pub fn set(version: ProtocolVersion, operation: Operation, identifier: &str, to: Attribute<'_>) -> Self {
        Self::new(version, operation, |w| {
            w.text(Tag::UNIQUE_IDENTIFIER, identifier);
            if version >= ProtocolVersion::V2_0 {
                w.structure(Tag::NEW_ATTRIBUTE, |w| attribute(w, &to));
            } else {
                attribute(w, &to);
            }
        })
    }

    /// The message.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(self.version);
        w.structure(Tag::REQUEST_MESSAGE, |w| {
            w.structure(Tag::REQUEST_HEADER, |w| {
                w.structure(Tag::PROTOCOL_VERSION, |w| {
                    w.integer(Tag::PROTOCOL_VERSION_MAJOR, self.version.major);
                    w.integer(Tag::PROTOCOL_VERSION_MINOR, self.version.minor);
                });
                if let Some(size) = self.maximum_response_size {
                    w.integer(Tag::MAXIMUM_RESPONSE_SIZE, size);
                }
                w.integer(Tag::BATCH_COUNT, 1);
            });
            w.structure(Tag::BATCH_ITEM, |w| {
                w.enumeration(Tag::OPERATION, self.operation);
                if let Some(mark) = &self.mark {
                    w.bytes(Tag::UNIQUE_BATCH_ITEM_ID, mark);
                }
                w.raw(&self.payload);
            });
        });
        w.finish().to_vec()
    }
}

/// Attributes as a structure, which has one name in 1.x and another in 2.x.
pub fn attributes(w: &mut Writer, before: Tag, since_2_0: Tag, all: &[Attribute<'_>]) {
    let tag = if w.version() >= ProtocolVersion::V2_0 { since_2_0 } else { before };
    w.structure(tag, |w| all.iter().for_each(|one| attribute(w, one)));
}

fn attribute(w: &mut Writer, (name, value): &Attribute<'_>) {
    match (w.version() >= ProtocolVersion::V2_0, name.split_once('-'), Tag::from_text(name)) {
        // An attribute of 1.x's client is the vendor attribute of a vendor called `x`. KMIP 2.1 §7.4.
        (true, Some((vendor @ ("x" | "y"), name)), _) => w.structure(Tag::ATTRIBUTE, |w| {
            w.text(Tag::VENDOR_IDENTIFICATION, vendor);
            w.text(Tag::ATTRIBUTE_NAME, name);
            value.write(Tag::ATTRIBUTE_VALUE, w);
        }),
        (true, _, Some(tag)) => value.write(tag, w),
        _ => w.structure(Tag::ATTRIBUTE, |w| {
            w.text(Tag::ATTRIBUTE_NAME, name);
            value.write(Tag::ATTRIBUTE_VALUE, w);
        }),
    }
}
