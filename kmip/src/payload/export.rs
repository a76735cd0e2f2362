//! Export: an object with all its attributes. KMIP 1.4 §4.40.

use crate::Tag;
use crate::attribute::{Attribute, Identifier, RequiredAttributes};
use crate::object::{AnyObject, KeyWrappingSpecification, ManagedObject};
use crate::registry::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType};
use crate::wire::structure;

structure! {
    /// Which object to return, and in what form.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct ExportRequest {
        /// The object; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// The format wanted.
        optional key_format_type: KeyFormatType = Tag::KEY_FORMAT_TYPE,
        /// Whether a key that was registered wrapped comes back wrapped.
        optional key_wrap_type: KeyWrapType = Tag::KEY_WRAP_TYPE,
        /// The compression wanted, for elliptic curve public keys.
        optional key_compression_type: KeyCompressionType = Tag::KEY_COMPRESSION_TYPE,
        /// How to wrap the key.
        optional key_wrapping_specification: Box<KeyWrappingSpecification> = Tag::KEY_WRAPPING_SPECIFICATION,
    }
}

structure! {
    /// The object.
    #[derive(Debug, PartialEq)]
    pub struct ExportResponse {
        /// What it is.
        required object_type: ObjectType = Tag::OBJECT_TYPE,
        /// Its identifier, which is now the ID Placeholder.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// All its attributes.
        part attributes: Vec<Attribute> = RequiredAttributes,
        /// The object itself; without key material if it was destroyed.
        part object: ManagedObject = AnyObject,
    }
}
