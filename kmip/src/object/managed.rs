//! The managed objects this crate knows: symmetric key, secret data, opaque object, template.

use secret::Secret;

use super::KeyBlock;
use crate::attribute::{Attribute, AttributeList};
use crate::registry::{ObjectType, OpaqueDataType, SecretDataType};
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, Reader, Wire, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

structure! {
    /// Symmetric Key. KMIP 1.4 §2.2.2.
    #[derive(Debug, PartialEq)]
    pub struct SymmetricKey {
        /// The key.
        required key_block: KeyBlock = Tag::KEY_BLOCK,
    }
}

structure! {
    /// Secret Data: a password or a seed. KMIP 1.4 §2.2.7.
    #[derive(Debug, PartialEq)]
    pub struct SecretData {
        /// What kind of secret it is.
        required secret_data_type: SecretDataType = Tag::SECRET_DATA_TYPE,
        /// The secret.
        required key_block: KeyBlock = Tag::KEY_BLOCK,
    }
}

structure! {
    /// Opaque Object: bytes that the server does not interpret. KMIP 1.4 §2.2.8.
    #[derive(Debug, PartialEq)]
    pub struct OpaqueObject {
        /// What the client says they are.
        required opaque_data_type: OpaqueDataType = Tag::OPAQUE_DATA_TYPE,
        /// The bytes, treated like a key.
        required value: Secret = Tag::OPAQUE_DATA_VALUE,
    }
}

structure! {
    /// Template: named attributes for objects to be made; deprecated since 1.3, gone in 2.0. KMIP 1.4 §2.2.6.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Template {
        /// The attributes.
        part attributes: Vec<Attribute> = AttributeList,
    }
}

/// A managed object. It cannot be cloned, because it holds key bytes; its `Debug` shows their length and no more.
#[derive(Debug, PartialEq)]
pub enum ManagedObject {
    /// A symmetric key.
    SymmetricKey(SymmetricKey),
    /// A password or a seed.
    SecretData(SecretData),
    /// Bytes that the server does not interpret.
    OpaqueObject(OpaqueObject),
    /// Attributes for objects to be made.
    Template(Template),
}

/// Objects of the specification that this crate does not decode.
const UNSUPPORTED: [Tag; 6] =
    [Tag::CERTIFICATE, Tag::PUBLIC_KEY, Tag::PRIVATE_KEY, Tag::SPLIT_KEY, Tag::PGP_KEY, Tag::CERTIFICATE_REQUEST];

impl ManagedObject {
    /// The Object Type that goes with it.
    #[must_use]
    pub const fn object_type(&self) -> ObjectType {
        match self {
            Self::SymmetricKey(_) => ObjectType::SymmetricKey,
            Self::SecretData(_) => ObjectType::SecretData,
            Self::OpaqueObject(_) => ObjectType::OpaqueObject,
            Self::Template(_) => ObjectType::Template,
        }
    }

    /// The tag of its structure.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        match self {
            Self::SymmetricKey(_) => Tag::SYMMETRIC_KEY,
            Self::SecretData(_) => Tag::SECRET_DATA,
            Self::OpaqueObject(_) => Tag::OPAQUE_OBJECT,
            Self::Template(_) => Tag::TEMPLATE,
        }
    }

    /// The key block, for objects that have one.
    #[must_use]
    pub const fn key_block(&self) -> Option<&KeyBlock> {
        match self {
            Self::SymmetricKey(SymmetricKey { key_block }) | Self::SecretData(SecretData { key_block, .. }) => {
                Some(key_block)
            }
            Self::OpaqueObject(_) | Self::Template(_) => None,
        }
    }

    /// The object as TTLV, the same for every version: what is sealed.
    #[must_use]
    pub fn to_canonical(&self) -> Secret {
        let mut w = Writer::new(ProtocolVersion::EVERY);
        self.encode(self.tag(), &mut w);
        Secret::from(w.finish())
    }

    /// The object of [`ManagedObject::to_canonical`].
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that are not one object.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(Reader::new(bytes, ProtocolVersion::EVERY), AnyObject::takes);
        let object = AnyObject::decode(&mut fields)?;
        fields.finish()?;
        Ok(object)
    }
}

impl Wire for ManagedObject {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        match self {
            Self::SymmetricKey(object) => object.encode(tag, w),
            Self::SecretData(object) => object.encode(tag, w),
            Self::OpaqueObject(object) => object.encode(tag, w),
            Self::Template(object) => object.encode(tag, w),
        }
    }

    /// The tag of `item` says which object it is.
    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        match item.tag {
            Tag::SYMMETRIC_KEY => SymmetricKey::decode(item).map(Self::SymmetricKey),
            Tag::SECRET_DATA => SecretData::decode(item).map(Self::SecretData),
            Tag::OPAQUE_OBJECT => OpaqueObject::decode(item).map(Self::OpaqueObject),
            Tag::TEMPLATE => Template::decode(item).map(Self::Template),
            tag => Err(item.error(DecodeErrorKind::UnsupportedObject(tag))),
        }
    }

    fn known_in(&self, version: ProtocolVersion) -> bool {
        self.object_type().known_in(version)
            && match self {
                Self::SymmetricKey(object) => object.known_in(version),
                Self::SecretData(object) => object.known_in(version),
                Self::OpaqueObject(object) => object.known_in(version),
                Self::Template(object) => object.known_in(version),
            }
    }
}

/// A managed object inside a payload, under the tag of its type.
pub struct AnyObject;

impl Part<ManagedObject> for AnyObject {
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        matches!(tag, Tag::SYMMETRIC_KEY | Tag::SECRET_DATA | Tag::OPAQUE_OBJECT | Tag::TEMPLATE)
            || UNSUPPORTED.contains(&tag)
    }

    fn known_in(object: &ManagedObject, version: ProtocolVersion) -> bool {
        object.known_in(version)
    }

    fn encode(object: &ManagedObject, w: &mut Writer) {
        object.encode(object.tag(), w);
    }

    fn decode(fields: &mut Fields<'_>) -> Result<ManagedObject, DecodeError> {
        match fields.peek()? {
            Some(tag) if Self::takes(tag, fields.version()) => fields.required(tag),
            Some(tag) => Err(fields.error(DecodeErrorKind::UnknownField(tag))),
            None => Err(fields.error(DecodeErrorKind::Invalid { tag: Tag::OBJECT_TYPE, why: "comes without object" })),
        }
    }
}
