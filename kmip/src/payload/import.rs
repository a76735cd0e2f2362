//! Import: the server takes over an object with all its attributes, as Export gave it. KMIP 1.4 §4.41.

use crate::Tag;
use crate::attribute::{Attribute, RequiredAttributes};
use crate::object::{AnyObject, ManagedObject};
use crate::registry::{KeyWrapType, ObjectType};
use crate::wire::structure;

structure! {
    /// The object and its attributes.
    #[derive(Debug, PartialEq)]
    pub struct ImportRequest {
        /// The identifier that it shall have.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// What it is; has to be there since 2.0, and to agree with the object.
        optional object_type: ObjectType = Tag::OBJECT_TYPE [since V2_0],
        /// Whether an object that has the identifier is replaced; absent means that it is an error.
        optional replace_existing: bool = Tag::REPLACE_EXISTING,
        /// Whether a wrapped key is unwrapped first or kept as it is.
        optional key_wrap_type: KeyWrapType = Tag::KEY_WRAP_TYPE,
        /// All its attributes, those too that a server sets otherwise.
        part attributes: Vec<Attribute> = RequiredAttributes,
        /// The object itself.
        part object: ManagedObject = AnyObject,
    }
}

structure! {
    /// The object that was imported.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ImportResponse {
        /// Its identifier, which is now the ID Placeholder.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
    }
}
