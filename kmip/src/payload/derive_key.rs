//! Derive Key: the server makes a key or secret from others that it holds. KMIP 1.4 §4.6.

use super::derivation_parameters::DerivationParameters;
use crate::Tag;
use crate::attribute::{Identifier, ObjectAttributes, TemplateAttribute};
use crate::registry::{DerivationMethod, ObjectType};
use crate::wire::structure;

structure! {
    /// What to derive, and from what.
    #[derive(Debug, PartialEq)]
    pub struct DeriveKeyRequest {
        /// Symmetric Key or Secret Data.
        required object_type: ObjectType = Tag::OBJECT_TYPE,
        /// The objects to derive from. The ID Placeholder does not stand in for them.
        several unique_identifiers: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// How.
        required derivation_method: DerivationMethod = Tag::DERIVATION_METHOD,
        /// What the method needs.
        required derivation_parameters: DerivationParameters = Tag::DERIVATION_PARAMETERS,
        /// Attributes of the new object; the length has to be among them.
        part template_attribute: TemplateAttribute = ObjectAttributes,
    }
}

structure! {
    /// The object that was derived.
    #[derive(Clone, Debug, PartialEq)]
    pub struct DeriveKeyResponse {
        /// Its identifier, which is now the ID Placeholder.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// Attributes that the server set without being asked.
        optional template_attribute: TemplateAttribute = Tag::TEMPLATE_ATTRIBUTE [until V1_4],
    }
}
