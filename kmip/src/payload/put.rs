//! Put: a server sends an object to a client, of its own accord. KMIP 1.4 §5.2.

use super::empty::empty;
use crate::Tag;
use crate::attribute::{Attribute, AttributeList};
use crate::object::{AnyObject, ManagedObject};
use crate::registry::PutFunction;
use crate::wire::structure;

structure! {
    /// The object.
    #[derive(Debug, PartialEq)]
    pub struct PutRequest {
        /// Its identifier.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Whether it replaces another.
        required put_function: PutFunction = Tag::PUT_FUNCTION,
        /// The object that it replaces.
        optional replaced_unique_identifier: String = Tag::REPLACED_UNIQUE_IDENTIFIER,
        /// The object itself.
        part object: ManagedObject = AnyObject,
        /// Attributes that go with it.
        part attributes: Vec<Attribute> = AttributeList,
    }
}

empty! {
    /// The object arrived.
    pub struct PutResponse;
}
