//! A managed object of any kind: what is registered, sealed and returned. KMIP 1.4 §2.2, 2.1 §2.

use secret::Secret;

use super::{
    Certificate, CertificateRequest, KeyBlock, OpaqueObject, PgpKey, PrivateKey, PublicKey, SecretData, SplitKey,
    SymmetricKey, Template,
};
use crate::registry::{KeyFormatType, ObjectType};
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, Reader, Wire, Writer};
use crate::wire::{Fields, Part};
use crate::{ProtocolVersion, Tag};

/// `Kind(Type) = TAG;`
macro_rules! managed_objects {
    ($( $(#[$meta:meta])* $kind:ident($ty:ty) = $tag:ident; )*) => {
        /// A managed object. It cannot be cloned, because it may hold key bytes; its `Debug` shows their length and no
        /// more.
        #[derive(Debug, PartialEq)]
        pub enum ManagedObject {
            $( $(#[$meta])* $kind($ty), )*
        }

        impl ManagedObject {
            /// The Object Type that goes with it.
            #[must_use]
            pub const fn object_type(&self) -> ObjectType {
                match self { $( Self::$kind(_) => ObjectType::$kind, )* }
            }

            /// The tag of its structure.
            #[must_use]
            pub const fn tag(&self) -> Tag {
                Self::tag_of(self.object_type())
            }

            /// The tag of the structure of an object of that type.
            #[must_use]
            pub const fn tag_of(object_type: ObjectType) -> Tag {
                match object_type { $( ObjectType::$kind => Tag::$tag, )* }
            }

            /// The type of the object whose structure has that tag.
            #[must_use]
            pub const fn type_of(tag: Tag) -> Option<ObjectType> {
                match tag {
                    $( Tag::$tag => Some(ObjectType::$kind), )*
                    _ => None,
                }
            }
        }

        impl Wire for ManagedObject {
            fn encode(&self, tag: Tag, w: &mut Writer) {
                match self { $( Self::$kind(object) => object.encode(tag, w), )* }
            }

            /// The tag of `item` says which object it is.
            fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
                let known = Self::type_of(item.tag).filter(|object_type| object_type.known_in(item.version()));
                let object = match known {
                    None => return Err(item.error(DecodeErrorKind::UnsupportedObject(item.tag))),
                    $( Some(ObjectType::$kind) => Self::$kind(<$ty>::decode(item)?), )*
                };
                if let Self::SplitKey(split) = &object {
                    split.check(item)?;
                }
                Ok(object)
            }

            fn known_in(&self, version: ProtocolVersion) -> bool {
                self.object_type().known_in(version)
                    && match self { $( Self::$kind(object) => object.known_in(version), )* }
            }
        }
    };
}

managed_objects! {
    /// A certificate.
    Certificate(Certificate) = CERTIFICATE;
    /// A symmetric key.
    SymmetricKey(SymmetricKey) = SYMMETRIC_KEY;
    /// The public half of a key pair.
    PublicKey(PublicKey) = PUBLIC_KEY;
    /// The private half of a key pair.
    PrivateKey(PrivateKey) = PRIVATE_KEY;
    // Boxed: it is the largest, and each of many batch items has room for one.
    /// One part of a key that was divided.
    SplitKey(Box<SplitKey>) = SPLIT_KEY;
    /// Attributes for objects to be made; until 1.4.
    Template(Template) = TEMPLATE;
    /// A password or a seed.
    SecretData(SecretData) = SECRET_DATA;
    /// Bytes that the server does not interpret.
    OpaqueObject(OpaqueObject) = OPAQUE_OBJECT;
    /// A PGP key; since 1.2.
    PgpKey(PgpKey) = PGP_KEY;
    /// A request for a certificate; since 2.0.
    CertificateRequest(CertificateRequest) = CERTIFICATE_REQUEST;
}

impl ManagedObject {
    /// The object of a type that says no more than its key block: symmetric, public and private keys.
    ///
    /// # Errors
    /// The key block itself, for a type that has further fields or no key block.
    pub fn from_key_block(object_type: ObjectType, key_block: KeyBlock) -> Result<Self, KeyBlock> {
        match object_type {
            ObjectType::SymmetricKey => Ok(Self::SymmetricKey(SymmetricKey { key_block })),
            ObjectType::PublicKey => Ok(Self::PublicKey(PublicKey { key_block })),
            ObjectType::PrivateKey => Ok(Self::PrivateKey(PrivateKey { key_block })),
            ObjectType::Certificate
            | ObjectType::SplitKey
            | ObjectType::Template
            | ObjectType::SecretData
            | ObjectType::OpaqueObject
            | ObjectType::PgpKey
            | ObjectType::CertificateRequest => Err(key_block),
        }
    }

    /// The key block, for objects that have one.
    #[must_use]
    pub const fn key_block(&self) -> Option<&KeyBlock> {
        match self {
            Self::SymmetricKey(SymmetricKey { key_block })
            | Self::PublicKey(PublicKey { key_block })
            | Self::PrivateKey(PrivateKey { key_block })
            | Self::SecretData(SecretData { key_block, .. })
            | Self::PgpKey(PgpKey { key_block, .. }) => Some(key_block),
            Self::SplitKey(split) => Some(&split.key_block),
            Self::Certificate(_) | Self::CertificateRequest(_) | Self::OpaqueObject(_) | Self::Template(_) => None,
        }
    }

    /// The key block, to be given another format or to be wrapped.
    #[must_use]
    pub const fn key_block_mut(&mut self) -> Option<&mut KeyBlock> {
        match self {
            Self::SymmetricKey(SymmetricKey { key_block })
            | Self::PublicKey(PublicKey { key_block })
            | Self::PrivateKey(PrivateKey { key_block })
            | Self::SecretData(SecretData { key_block, .. })
            | Self::PgpKey(PgpKey { key_block, .. }) => Some(key_block),
            Self::SplitKey(split) => Some(&mut split.key_block),
            Self::Certificate(_) | Self::CertificateRequest(_) | Self::OpaqueObject(_) | Self::Template(_) => None,
        }
    }

    /// The format it is in: that of its key block, or the only one that the kind has (KMIP 2.1 §4.26). A template has
    /// none.
    #[must_use]
    pub const fn format(&self) -> Option<KeyFormatType> {
        match self {
            Self::Certificate(_) => Some(KeyFormatType::X509),
            Self::CertificateRequest(_) => Some(KeyFormatType::Pkcs10),
            Self::OpaqueObject(_) => Some(KeyFormatType::Opaque),
            _ => match self.key_block() {
                Some(block) => Some(block.format),
                None => None,
            },
        }
    }

    /// Lends `digest` the bytes that a Digest is taken over: Key Material, certificate, request or opaque bytes (KMIP
    /// 1.4 §3.17, 2.1 §4.21). `None` where there are none: a template, a key whose value is absent.
    pub fn with_digest_input<T>(&self, digest: impl FnOnce(&[u8]) -> T) -> Option<T> {
        match self {
            Self::Certificate(certificate) => Some(digest(&certificate.value)),
            Self::CertificateRequest(request) => Some(digest(&request.value)),
            Self::OpaqueObject(opaque) => Some(digest(opaque.value.expose())),
            _ => self.key_block()?.with_digest_input(digest),
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

/// A managed object inside a payload, under the tag of its type.
pub struct AnyObject;

impl Part<ManagedObject> for AnyObject {
    /// Objects of other versions too: their error says that the object is not supported, which is more than that its
    /// field is unknown.
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        ManagedObject::type_of(tag).is_some()
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
