//! Get: the object itself. KMIP 1.4 §4.11, 2.1 §6.1.19.

use crate::Tag;
use crate::attribute::Identifier;
use crate::object::{AnyObject, KeyWrappingSpecification, ManagedObject};
use crate::registry::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType};
use crate::wire::structure;

structure! {
    /// Which object to return, and in what form.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct GetRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// The format wanted.
        optional key_format_type: KeyFormatType = Tag::KEY_FORMAT_TYPE,
        /// Whether a key that was registered wrapped comes back wrapped.
        optional key_wrap_type: KeyWrapType = Tag::KEY_WRAP_TYPE [since V1_4],
        /// The compression wanted, for elliptic curve public keys.
        optional key_compression_type: KeyCompressionType = Tag::KEY_COMPRESSION_TYPE,
        /// How to wrap the key.
        optional key_wrapping_specification: Box<KeyWrappingSpecification> = Tag::KEY_WRAPPING_SPECIFICATION,
    }
}

impl GetRequest {
    /// The request for one object.
    #[must_use]
    pub fn of(unique_identifier: impl Into<Identifier>) -> Self {
        Self { unique_identifier: Some(unique_identifier.into()), ..Self::default() }
    }
}

structure! {
    /// The object.
    #[derive(Debug, PartialEq)]
    pub struct GetResponse {
        /// What it is.
        required object_type: ObjectType = Tag::OBJECT_TYPE,
        /// Its identifier.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The object itself.
        part object: ManagedObject = AnyObject,
    }
}
