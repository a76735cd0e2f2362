//! All attributes of KMIP 1.0 to 1.4 with their types: one table, everything else follows from it.

use super::structures::{
    AlternativeName, ApplicationSpecificInformation, CertificateIdentifier, CertificateIssuer, CertificateSubject,
    CryptographicDomainParameters, CryptographicParameters, Digest, KeyValueLocation, Link, Name, RevocationReason,
    RngParameters, UsageLimits, X509CertificateIdentifier, X509CertificateIssuer, X509CertificateSubject,
};
use crate::registry::{
    ATTRIBUTE_RULES, AttributeRules, CertificateType, CryptographicAlgorithm, DigitalSignatureAlgorithm, ObjectType,
    State, UsageMask,
};
use crate::ttlv::{DateTime, DecodeError, DecodeErrorKind, Interval, Item, OwnedItem, Wire, Writer};
use crate::wire::Structure;
use crate::{ProtocolVersion, Tag};

/// The rules of the attribute with this name. Evaluated by the compiler, so a name without rules does not build.
#[expect(clippy::panic, reason = "called in constants only: it stops the build, not the process")]
const fn rules_of(name: &str) -> &'static AttributeRules {
    let mut row = 0;
    while row < ATTRIBUTE_RULES.len() {
        if equal(ATTRIBUTE_RULES[row].name, name) {
            return &ATTRIBUTE_RULES[row];
        }
        row += 1;
    }
    panic!("no rules for this attribute")
}

const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// `Variant(Type) = TAG, form;` where form is `plain` or `structure` (which may be incomplete in a Locate).
macro_rules! attributes {
    ($( $variant:ident($ty:ty) = $tag:ident, $text:literal, $form:ident; )*) => {
        /// Which attribute.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AttributeKind {
            $( #[doc = $text] $variant, )*
            /// An attribute whose name begins with `x-` (made by a client) or `y-` (made by a server). KMIP 1.4 §3.39.
            Custom,
        }

        impl AttributeKind {
            /// Every attribute, in the order of the specification.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )* Self::Custom];

            /// The name in the specification, such as "Cryptographic Usage Mask".
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )*
                    Self::Custom => "Custom Attribute",
                }
            }

            /// The attribute of a name on the wire. Names are compared byte for byte.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $( $text => Some(Self::$variant), )*
                    _ if name.starts_with("x-") || name.starts_with("y-") => Some(Self::Custom),
                    _ => None,
                }
            }

            /// The tag that stands for the attribute: in 2.x it carries the value.
            #[must_use]
            pub const fn tag(self) -> Tag {
                match self {
                    $( Self::$variant => Tag::$tag, )*
                    Self::Custom => Tag::CUSTOM_ATTRIBUTE,
                }
            }

            /// What the specification lets server and client do with it.
            #[must_use]
            pub const fn rules(self) -> &'static AttributeRules {
                match self {
                    $( Self::$variant => const { rules_of($text) }, )*
                    Self::Custom => const { rules_of("Custom Attribute") },
                }
            }
        }

        /// The value of one attribute instance.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AttributeValue {
            $( #[doc = $text] $variant($ty), )*
            /// A custom attribute: any TTLV type, kept byte for byte. Made by [`AttributeValue::custom`].
            Custom {
                /// The name, beginning with `x-` or `y-`.
                name: String,
                /// The item, with tag Attribute Value.
                value: OwnedItem,
            },
            /// A structure of which fields are left out: what a Locate compares with (KMIP 1.4 §4.9).
            Partial {
                /// The attribute.
                kind: AttributeKind,
                /// The item, with tag Attribute Value; its fields are known, well formed and in order.
                value: OwnedItem,
            },
        }

        impl AttributeValue {
            /// Which attribute this is.
            #[must_use]
            pub const fn kind(&self) -> AttributeKind {
                match self {
                    $( Self::$variant(_) => AttributeKind::$variant, )*
                    Self::Custom { .. } => AttributeKind::Custom,
                    Self::Partial { kind, .. } => *kind,
                }
            }

            /// Writes the value under tag Attribute Value.
            pub fn encode_value(&self, w: &mut Writer) {
                match self {
                    $( Self::$variant(value) => Wire::encode(value, Tag::ATTRIBUTE_VALUE, w), )*
                    Self::Custom { value, .. } | Self::Partial { value, .. } => w.raw(value.as_bytes()),
                }
            }

            /// Reads the value of the attribute called `name`.
            ///
            /// # Errors
            /// [`DecodeErrorKind::UnknownAttribute`] where the message's version has no such attribute, or what is
            /// wrong with the value.
            pub fn decode_value(name: &str, item: &Item<'_>) -> Result<Self, DecodeError> {
                let kind = AttributeKind::from_name(name)
                    .filter(|kind| kind.is_known_to(item.version()))
                    .ok_or_else(|| item.error(DecodeErrorKind::UnknownAttribute))?;
                Ok(match kind {
                    $( AttributeKind::$variant => Self::$variant(<$ty as Wire>::decode(item)?), )*
                    AttributeKind::Custom => Self::Custom { name: name.to_owned(), value: OwnedItem::new(item)? },
                })
            }

            /// Checks a structure of which fields may be left out; `false` where the attribute is no structure.
            fn check_pattern(kind: AttributeKind, item: &Item<'_>) -> Result<bool, DecodeError> {
                match kind {
                    $( AttributeKind::$variant => attributes!(@pattern $form $ty, item), )*
                    AttributeKind::Custom => Ok(false),
                }
            }

            fn value_known_in(&self, version: ProtocolVersion) -> bool {
                match self {
                    $( Self::$variant(value) => Wire::known_in(value, version), )*
                    Self::Custom { .. } | Self::Partial { .. } => true,
                }
            }
        }
    };
    (@pattern plain $ty:ty, $item:ident) => { Ok(false) };
    (@pattern structure $ty:ty, $item:ident) => { <$ty as Structure>::check_pattern($item).map(|()| true) };
}

attributes! {
    UniqueIdentifier(String) = UNIQUE_IDENTIFIER, "Unique Identifier", plain;
    Name(Name) = NAME, "Name", structure;
    ObjectType(ObjectType) = OBJECT_TYPE, "Object Type", plain;
    CryptographicAlgorithm(CryptographicAlgorithm) = CRYPTOGRAPHIC_ALGORITHM, "Cryptographic Algorithm", plain;
    CryptographicLength(i32) = CRYPTOGRAPHIC_LENGTH, "Cryptographic Length", plain;
    // Boxed: a request may carry many attributes, and its memory has to stay near its length.
    CryptographicParameters(Box<CryptographicParameters>) =
        CRYPTOGRAPHIC_PARAMETERS, "Cryptographic Parameters", structure;
    CryptographicDomainParameters(CryptographicDomainParameters) =
        CRYPTOGRAPHIC_DOMAIN_PARAMETERS, "Cryptographic Domain Parameters", structure;
    CertificateType(CertificateType) = CERTIFICATE_TYPE, "Certificate Type", plain;
    CertificateLength(i32) = CERTIFICATE_LENGTH, "Certificate Length", plain;
    X509CertificateIdentifier(X509CertificateIdentifier) =
        X_509_CERTIFICATE_IDENTIFIER, "X.509 Certificate Identifier", structure;
    X509CertificateSubject(X509CertificateSubject) =
        X_509_CERTIFICATE_SUBJECT, "X.509 Certificate Subject", structure;
    X509CertificateIssuer(X509CertificateIssuer) = X_509_CERTIFICATE_ISSUER, "X.509 Certificate Issuer", structure;
    CertificateIdentifier(CertificateIdentifier) = CERTIFICATE_IDENTIFIER, "Certificate Identifier", structure;
    CertificateSubject(CertificateSubject) = CERTIFICATE_SUBJECT, "Certificate Subject", structure;
    CertificateIssuer(CertificateIssuer) = CERTIFICATE_ISSUER, "Certificate Issuer", structure;
    DigitalSignatureAlgorithm(DigitalSignatureAlgorithm) =
        DIGITAL_SIGNATURE_ALGORITHM, "Digital Signature Algorithm", plain;
    Digest(Digest) = DIGEST, "Digest", structure;
    OperationPolicyName(String) = OPERATION_POLICY_NAME, "Operation Policy Name", plain;
    CryptographicUsageMask(UsageMask) = CRYPTOGRAPHIC_USAGE_MASK, "Cryptographic Usage Mask", plain;
    LeaseTime(Interval) = LEASE_TIME, "Lease Time", plain;
    UsageLimits(UsageLimits) = USAGE_LIMITS, "Usage Limits", structure;
    State(State) = STATE, "State", plain;
    InitialDate(DateTime) = INITIAL_DATE, "Initial Date", plain;
    ActivationDate(DateTime) = ACTIVATION_DATE, "Activation Date", plain;
    ProcessStartDate(DateTime) = PROCESS_START_DATE, "Process Start Date", plain;
    ProtectStopDate(DateTime) = PROTECT_STOP_DATE, "Protect Stop Date", plain;
    DeactivationDate(DateTime) = DEACTIVATION_DATE, "Deactivation Date", plain;
    DestroyDate(DateTime) = DESTROY_DATE, "Destroy Date", plain;
    CompromiseOccurrenceDate(DateTime) = COMPROMISE_OCCURRENCE_DATE, "Compromise Occurrence Date", plain;
    CompromiseDate(DateTime) = COMPROMISE_DATE, "Compromise Date", plain;
    RevocationReason(RevocationReason) = REVOCATION_REASON, "Revocation Reason", structure;
    ArchiveDate(DateTime) = ARCHIVE_DATE, "Archive Date", plain;
    ObjectGroup(String) = OBJECT_GROUP, "Object Group", plain;
    Fresh(bool) = FRESH, "Fresh", plain;
    Link(Link) = LINK, "Link", structure;
    ApplicationSpecificInformation(ApplicationSpecificInformation) =
        APPLICATION_SPECIFIC_INFORMATION, "Application Specific Information", structure;
    ContactInformation(String) = CONTACT_INFORMATION, "Contact Information", plain;
    LastChangeDate(DateTime) = LAST_CHANGE_DATE, "Last Change Date", plain;
    AlternativeName(AlternativeName) = ALTERNATIVE_NAME, "Alternative Name", structure;
    KeyValuePresent(bool) = KEY_VALUE_PRESENT, "Key Value Present", plain;
    KeyValueLocation(KeyValueLocation) = KEY_VALUE_LOCATION, "Key Value Location", structure;
    OriginalCreationDate(DateTime) = ORIGINAL_CREATION_DATE, "Original Creation Date", plain;
    RandomNumberGenerator(Box<RngParameters>) = RANDOM_NUMBER_GENERATOR, "Random Number Generator", structure;
    Pkcs12FriendlyName(String) = PKCS_12_FRIENDLY_NAME, "PKCS#12 Friendly Name", plain;
    Description(String) = DESCRIPTION, "Description", plain;
    Comment(String) = COMMENT, "Comment", plain;
    Sensitive(bool) = SENSITIVE, "Sensitive", plain;
    AlwaysSensitive(bool) = ALWAYS_SENSITIVE, "Always Sensitive", plain;
    Extractable(bool) = EXTRACTABLE, "Extractable", plain;
    NeverExtractable(bool) = NEVER_EXTRACTABLE, "Never Extractable", plain;
}

impl AttributeKind {
    /// The first version that has the attribute.
    #[must_use]
    pub const fn since(self) -> ProtocolVersion {
        self.rules().since
    }

    /// Whether a peer of `version` knows the attribute.
    #[must_use]
    pub fn is_known_to(self, version: ProtocolVersion) -> bool {
        version.is_within(self.since(), self.rules().until)
    }

    /// Whether the value is a Date-Time, which Locate compares as a range.
    #[must_use]
    pub const fn is_date(self) -> bool {
        matches!(
            self,
            Self::InitialDate
                | Self::ActivationDate
                | Self::ProcessStartDate
                | Self::ProtectStopDate
                | Self::DeactivationDate
                | Self::DestroyDate
                | Self::CompromiseOccurrenceDate
                | Self::CompromiseDate
                | Self::ArchiveDate
                | Self::LastChangeDate
                | Self::OriginalCreationDate
        )
    }
}

impl AttributeValue {
    /// A custom attribute whose value `write` writes; it has to write exactly one item, with tag Attribute Value.
    ///
    /// `None` where the name has no `x-` or `y-`, or `write` wrote something else.
    #[must_use]
    pub fn custom(name: impl Into<String>, write: impl FnOnce(&mut Writer)) -> Option<Self> {
        let name = name.into();
        if AttributeKind::from_name(&name) != Some(AttributeKind::Custom) {
            return None;
        }
        let mut w = Writer::new(ProtocolVersion::EVERY);
        write(&mut w);
        let bytes = w.finish();
        let mut items = crate::ttlv::Reader::new(&bytes, ProtocolVersion::EVERY);
        let item = items.next_item().ok()??;
        if item.tag != Tag::ATTRIBUTE_VALUE || !items.is_empty() {
            return None;
        }
        let value = OwnedItem::new(&item).ok()?;
        Some(Self::Custom { name, value })
    }

    /// A custom attribute that is a Text String; `None` where the name has no `x-` or `y-`.
    #[must_use]
    pub fn custom_text(name: impl Into<String>, text: &str) -> Option<Self> {
        Self::custom(name, |w| w.text(Tag::ATTRIBUTE_VALUE, text))
    }

    /// The name on the wire: the specification's, or the custom one.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Custom { name, .. } => name,
            other => other.kind().text(),
        }
    }

    /// Reads a value to compare with: structures may lack fields that are otherwise required. KMIP 1.4 §4.9.
    ///
    /// # Errors
    /// As [`AttributeValue::decode_value`].
    pub fn decode_pattern(name: &str, item: &Item<'_>) -> Result<Self, DecodeError> {
        match Self::decode_value(name, item) {
            Err(DecodeError { kind: DecodeErrorKind::MissingField(tag), offset }) => {
                match AttributeKind::from_name(name) {
                    Some(kind) if Self::check_pattern(kind, item)? => {
                        Ok(Self::Partial { kind, value: OwnedItem::new(item)? })
                    }
                    _ => Err(DecodeError { kind: DecodeErrorKind::MissingField(tag), offset }),
                }
            }
            decoded => decoded,
        }
    }

    /// The TTLV of the value under tag Attribute Value, the same for every version: key of an index, and equality.
    #[must_use]
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new(ProtocolVersion::EVERY);
        self.encode_value(&mut w);
        w.finish().to_vec()
    }

    /// Whether `candidate` is this attribute with an equal value, or, where `self` is a structure with fields left
    /// out, one that has the fields that are there.
    #[must_use]
    pub fn matches(&self, candidate: &Self) -> bool {
        if self.name() != candidate.name() {
            return false;
        }
        match self {
            Self::Partial { value, .. } => has_fields(&candidate.canonical_bytes(), value).unwrap_or(false),
            whole => whole == candidate,
        }
    }

    /// Whether a peer of `version` can be told of this value.
    #[must_use]
    pub fn known_in(&self, version: ProtocolVersion) -> bool {
        self.kind().is_known_to(version) && self.value_known_in(version)
    }
}

/// Whether the structure in `whole` has every field of `pattern`, each byte for byte.
fn has_fields(whole: &[u8], pattern: &OwnedItem) -> Result<bool, DecodeError> {
    let Some(whole) = crate::ttlv::Reader::new(whole, ProtocolVersion::EVERY).next_item()? else { return Ok(false) };
    let mut wanted = pattern.item().structure()?;
    while let Some(field) = wanted.next_item()? {
        let mut fields = whole.structure()?;
        loop {
            match fields.next_item()? {
                Some(item) if item.raw() == field.raw() => break,
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
