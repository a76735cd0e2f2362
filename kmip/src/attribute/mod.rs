//! Attributes: what is said about an object. KMIP 1.4 §3, 2.1 §4.

mod identifier;
mod list;
mod overhead;
mod reference;
mod single;
mod structures;
mod template;
mod value;

pub use identifier::Identifier;
pub use list::{AnsweredNames, AttributeList, AttributeNames, AttributePatterns, RequiredAttributes};
pub(crate) use overhead::check_overhead;
pub use reference::AttributeReference;
pub use single::{ChangedAttribute, CurrentAttribute, NewAttribute};
pub use structures::{
    AlternativeName, ApplicationSpecificInformation, CertificateIdentifier, CertificateIssuer, CertificateSubject,
    CryptographicDomainParameters, CryptographicParameters, Digest, KeyValueLocation, Link, Name,
    ProtectionStorageMasks, RevocationReason, RngParameters, RotateName, UsageLimits, X509CertificateIdentifier,
    X509CertificateIssuer, X509CertificateSubject,
};
pub use template::{CommonAttributes, ObjectAttributes, PrivateKeyAttributes, PublicKeyAttributes, TemplateAttribute};
pub use value::{AttributeKind, AttributeValue};

use crate::registry::AttributeRules;
use crate::ttlv::{DecodeError, Item, Wire, Writer};
use crate::wire::Fields;
use crate::{ProtocolVersion, Tag};

/// One instance of an attribute. 1.x writes name, index and value (KMIP 1.4 §2.1.1), 2.x the value under the
/// attribute's own tag (KMIP 2.1 §5.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Which instance; given by the server, from 0. Absent means 0. 2.x has none.
    pub index: Option<i32>,
    /// The value, which also knows its name.
    pub value: AttributeValue,
}

impl Attribute {
    /// An attribute without index.
    #[must_use]
    pub const fn new(value: AttributeValue) -> Self {
        Self { index: None, value }
    }

    /// An instance with its index.
    #[must_use]
    pub const fn with_index(index: i32, value: AttributeValue) -> Self {
        Self { index: Some(index), value }
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(&self) -> &str {
        self.value.name()
    }

    /// Which attribute this is.
    #[must_use]
    pub const fn kind(&self) -> AttributeKind {
        self.value.kind()
    }

    /// What the specification lets server and client do with it.
    #[must_use]
    pub const fn rules(&self) -> &'static AttributeRules {
        self.kind().rules()
    }

    fn is_field(tag: Tag, _version: ProtocolVersion) -> bool {
        [Tag::ATTRIBUTE_NAME, Tag::ATTRIBUTE_INDEX, Tag::ATTRIBUTE_VALUE].contains(&tag)
    }

    fn decode_by(
        item: &Item<'_>,
        value: fn(&str, &Item<'_>) -> Result<AttributeValue, DecodeError>,
    ) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(item.structure()?, Self::is_field);
        let name = fields.require(Tag::ATTRIBUTE_NAME)?;
        let index = fields.optional(Tag::ATTRIBUTE_INDEX)?;
        let value = value(name.text()?, &fields.require(Tag::ATTRIBUTE_VALUE)?).map_err(|error| match error.kind {
            // What is unknown is the name, so the error points there.
            crate::ttlv::DecodeErrorKind::UnknownAttribute => name.error(error.kind),
            _ => error,
        })?;
        fields.finish()?;
        Ok(Self { index, value })
    }

    /// Reads an attribute in the form of 2.x.
    ///
    /// # Errors
    /// As [`AttributeValue::decode_tagged`].
    pub fn decode_tagged(item: &Item<'_>) -> Result<Self, DecodeError> {
        AttributeValue::decode_tagged(item).map(Self::new)
    }

    /// Reads an attribute to compare with in the form of 2.x.
    ///
    /// # Errors
    /// As [`AttributeValue::decode_tagged`].
    pub fn decode_tagged_pattern(item: &Item<'_>) -> Result<Self, DecodeError> {
        AttributeValue::decode_tagged_pattern(item).map(Self::new)
    }

    /// Reads an attribute to compare with, see [`AttributeValue::decode_pattern`].
    ///
    /// # Errors
    /// As [`AttributeValue::decode_value`].
    pub fn decode_pattern(item: &Item<'_>) -> Result<Self, DecodeError> {
        Self::decode_by(item, AttributeValue::decode_pattern)
    }
}

impl From<AttributeValue> for Attribute {
    fn from(value: AttributeValue) -> Self {
        Self::new(value)
    }
}

impl Wire for Attribute {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        w.structure(tag, |w| {
            w.text(Tag::ATTRIBUTE_NAME, self.name());
            if let Some(index) = self.index {
                w.integer(Tag::ATTRIBUTE_INDEX, index);
            }
            self.value.encode_value(w);
        });
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        Self::decode_by(item, AttributeValue::decode_value)
    }

    fn known_in(&self, version: ProtocolVersion) -> bool {
        self.value.known_in(version)
    }
}
