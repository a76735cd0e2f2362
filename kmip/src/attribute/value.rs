//! All attributes of KMIP 1.0 to 2.1 with their types: one table, everything else follows from it.

use super::reference::{is_vendor_name_known_in, split_vendor};
use super::structures::{
    AlternativeName, ApplicationSpecificInformation, CertificateIdentifier, CertificateIssuer, CertificateSubject,
    CryptographicDomainParameters, CryptographicParameters, Digest, KeyValueLocation, Link, Name, RevocationReason,
    RngParameters, RotateName, UsageLimits, X509CertificateIdentifier, X509CertificateIssuer, X509CertificateSubject,
};
use crate::registry::{
    ATTRIBUTE_RULES, AttributeRules, CertificateType, CryptographicAlgorithm, DigitalSignatureAlgorithm, KeyFormatType,
    NistKeyType, ObjectType, OpaqueDataType, ProtectionLevel, ProtectionStorageMask, State, UsageMask,
};
use crate::ttlv::{DateTime, DecodeError, DecodeErrorKind, Interval, Item, OwnedItem, Wire, Writer};
use crate::wire::Structure;
use crate::{ProtocolVersion, Tag};

mod form;
mod pattern;

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

/// `Variant(Type) = TAG, form;` where form is `plain`, `structure` (which may be incomplete in a Locate), or `boxed`: a
/// structure that is large, kept apart because a request may carry many attributes, and its memory has to stay near its
/// length.
macro_rules! attributes {
    ($( $variant:ident($ty:ty) = $tag:ident, $text:literal, $form:ident; )*) => {
        /// Which attribute.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AttributeKind {
            $( #[doc = $text] $variant, )*
            /// An attribute of a vendor (KMIP 2.1 §4.60). Those of the vendors `x` (made by a client) and `y` (made by a
            /// server) are what 1.x calls custom attributes (KMIP 1.4 §3.39).
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
                    _ => split_vendor(name).map(|_| Self::Custom),
                }
            }

            /// The attribute whose value 2.x writes under `tag`. Vendors' attributes have another form.
            #[must_use]
            pub const fn from_tag(tag: Tag) -> Option<Self> {
                match tag {
                    $( Tag::$tag => Some(Self::$variant), )*
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

            /// Bytes that a value takes apart from the attribute itself, where it is boxed.
            pub(super) const fn boxed_len(self) -> usize {
                match self {
                    $( Self::$variant => attributes!(@boxed_len $form $ty), )*
                    Self::Custom => 0,
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
            $( #[doc = $text] $variant(attributes!(@stored $form $ty)), )*
            /// A vendor's attribute: any TTLV type, kept byte for byte. Made by [`AttributeValue::custom`].
            Custom {
                /// Vendor and name with `-` between them; the vendor has none, so the first one separates them.
                name: Box<str>,
                /// The item, with tag Attribute Value.
                value: OwnedItem,
            },
            /// A structure of which fields are left out: what a Locate compares with (KMIP 1.4 §4.9).
            Partial {
                /// The attribute.
                kind: AttributeKind,
                /// The item, under the tag it came with; its fields are known, well formed and in order.
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

            /// Writes the bare value under `tag`.
            pub fn encode_under(&self, tag: Tag, w: &mut Writer) {
                match self {
                    $( Self::$variant(value) => Wire::encode(value, tag, w), )*
                    Self::Custom { value, .. } | Self::Partial { value, .. } => value.encode(tag, w),
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
                    .filter(|kind| *kind != AttributeKind::Custom || is_vendor_name_known_in(name, item.version()))
                    .ok_or_else(|| item.error(DecodeErrorKind::UnknownAttribute))?;
                Self::decode_as(kind, name, item)
            }

            fn decode_as(kind: AttributeKind, name: &str, item: &Item<'_>) -> Result<Self, DecodeError> {
                Ok(match kind {
                    $( AttributeKind::$variant => Self::$variant(Wire::decode(item)?), )*
                    AttributeKind::Custom => Self::Custom { name: name.into(), value: OwnedItem::new(item)? },
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
                    Self::Custom { name, value } => {
                        is_vendor_name_known_in(name, version) && form::are_types_known_in(&value.item(), version)
                    }
                    Self::Partial { kind, value } => Self::is_partial_known_in(*kind, value, version),
                }
            }
        }
    };
    (@stored boxed $ty:ty) => { Box<$ty> };
    (@stored $form:ident $ty:ty) => { $ty };

    (@boxed_len boxed $ty:ty) => { size_of::<$ty>() };
    (@boxed_len $form:ident $ty:ty) => { 0 };

    (@pattern plain $ty:ty, $item:ident) => { Ok(false) };
    (@pattern $form:ident $ty:ty, $item:ident) => { <$ty as Structure>::check_pattern($item).map(|()| true) };
}

attributes! {
    UniqueIdentifier(String) = UNIQUE_IDENTIFIER, "Unique Identifier", plain;
    Name(Name) = NAME, "Name", structure;
    ObjectType(ObjectType) = OBJECT_TYPE, "Object Type", plain;
    CryptographicAlgorithm(CryptographicAlgorithm) = CRYPTOGRAPHIC_ALGORITHM, "Cryptographic Algorithm", plain;
    CryptographicLength(i32) = CRYPTOGRAPHIC_LENGTH, "Cryptographic Length", plain;
    CryptographicParameters(CryptographicParameters) =
        CRYPTOGRAPHIC_PARAMETERS, "Cryptographic Parameters", boxed;
    CryptographicDomainParameters(CryptographicDomainParameters) =
        CRYPTOGRAPHIC_DOMAIN_PARAMETERS, "Cryptographic Domain Parameters", structure;
    CertificateType(CertificateType) = CERTIFICATE_TYPE, "Certificate Type", plain;
    CertificateLength(i32) = CERTIFICATE_LENGTH, "Certificate Length", plain;
    X509CertificateIdentifier(X509CertificateIdentifier) =
        X_509_CERTIFICATE_IDENTIFIER, "X.509 Certificate Identifier", boxed;
    X509CertificateSubject(X509CertificateSubject) =
        X_509_CERTIFICATE_SUBJECT, "X.509 Certificate Subject", boxed;
    X509CertificateIssuer(X509CertificateIssuer) = X_509_CERTIFICATE_ISSUER, "X.509 Certificate Issuer", boxed;
    CertificateIdentifier(CertificateIdentifier) = CERTIFICATE_IDENTIFIER, "Certificate Identifier", boxed;
    CertificateSubject(CertificateSubject) = CERTIFICATE_SUBJECT, "Certificate Subject", boxed;
    CertificateIssuer(CertificateIssuer) = CERTIFICATE_ISSUER, "Certificate Issuer", boxed;
    DigitalSignatureAlgorithm(DigitalSignatureAlgorithm) =
        DIGITAL_SIGNATURE_ALGORITHM, "Digital Signature Algorithm", plain;
    Digest(Digest) = DIGEST, "Digest", structure;
    OperationPolicyName(String) = OPERATION_POLICY_NAME, "Operation Policy Name", plain;
    CryptographicUsageMask(UsageMask) = CRYPTOGRAPHIC_USAGE_MASK, "Cryptographic Usage Mask", plain;
    LeaseTime(Interval) = LEASE_TIME, "Lease Time", plain;
    UsageLimits(UsageLimits) = USAGE_LIMITS, "Usage Limits", boxed;
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
        APPLICATION_SPECIFIC_INFORMATION, "Application Specific Information", boxed;
    ContactInformation(String) = CONTACT_INFORMATION, "Contact Information", plain;
    LastChangeDate(DateTime) = LAST_CHANGE_DATE, "Last Change Date", plain;
    AlternativeName(AlternativeName) = ALTERNATIVE_NAME, "Alternative Name", structure;
    KeyValuePresent(bool) = KEY_VALUE_PRESENT, "Key Value Present", plain;
    KeyValueLocation(KeyValueLocation) = KEY_VALUE_LOCATION, "Key Value Location", structure;
    OriginalCreationDate(DateTime) = ORIGINAL_CREATION_DATE, "Original Creation Date", plain;
    RandomNumberGenerator(RngParameters) = RANDOM_NUMBER_GENERATOR, "Random Number Generator", boxed;
    Pkcs12FriendlyName(String) = PKCS_12_FRIENDLY_NAME, "PKCS#12 Friendly Name", plain;
    Description(String) = DESCRIPTION, "Description", plain;
    Comment(String) = COMMENT, "Comment", plain;
    Sensitive(bool) = SENSITIVE, "Sensitive", plain;
    AlwaysSensitive(bool) = ALWAYS_SENSITIVE, "Always Sensitive", plain;
    Extractable(bool) = EXTRACTABLE, "Extractable", plain;
    NeverExtractable(bool) = NEVER_EXTRACTABLE, "Never Extractable", plain;
    KeyFormatType(KeyFormatType) = KEY_FORMAT_TYPE, "Key Format Type", plain;
    NistKeyType(NistKeyType) = NIST_KEY_TYPE, "NIST Key Type", plain;
    OpaqueDataType(OpaqueDataType) = OPAQUE_DATA_TYPE, "Opaque Data Type", plain;
    ProtectionLevel(ProtectionLevel) = PROTECTION_LEVEL, "Protection Level", plain;
    ProtectionPeriod(Interval) = PROTECTION_PERIOD, "Protection Period", plain;
    ProtectionStorageMask(ProtectionStorageMask) = PROTECTION_STORAGE_MASK, "Protection Storage Mask", plain;
    QuantumSafe(bool) = QUANTUM_SAFE, "Quantum Safe", plain;
    ShortUniqueIdentifier(Vec<u8>) = SHORT_UNIQUE_IDENTIFIER, "Short Unique Identifier", plain;
    RotateAutomatic(bool) = ROTATE_AUTOMATIC, "Rotate Automatic", plain;
    RotateDate(DateTime) = ROTATE_DATE, "Rotate Date", plain;
    RotateGeneration(i32) = ROTATE_GENERATION, "Rotate Generation", plain;
    RotateInterval(Interval) = ROTATE_INTERVAL, "Rotate Interval", plain;
    RotateLatest(bool) = ROTATE_LATEST, "Rotate Latest", plain;
    RotateName(RotateName) = ROTATE_NAME, "Rotate Name", structure;
    RotateOffset(Interval) = ROTATE_OFFSET, "Rotate Offset", plain;
    CertificateSubjectCn(String) = CERTIFICATE_SUBJECT_CN, "Certificate Subject CN", plain;
    CertificateSubjectO(String) = CERTIFICATE_SUBJECT_O, "Certificate Subject O", plain;
    CertificateSubjectOu(String) = CERTIFICATE_SUBJECT_OU, "Certificate Subject OU", plain;
    CertificateSubjectEmail(String) = CERTIFICATE_SUBJECT_EMAIL, "Certificate Subject Email", plain;
    CertificateSubjectC(String) = CERTIFICATE_SUBJECT_C, "Certificate Subject C", plain;
    CertificateSubjectSt(String) = CERTIFICATE_SUBJECT_ST, "Certificate Subject ST", plain;
    CertificateSubjectL(String) = CERTIFICATE_SUBJECT_L, "Certificate Subject L", plain;
    CertificateSubjectUid(String) = CERTIFICATE_SUBJECT_UID, "Certificate Subject UID", plain;
    CertificateSubjectSerialNumber(String) = CERTIFICATE_SUBJECT_SERIAL_NUMBER, "Certificate Subject Serial Number", plain;
    CertificateSubjectTitle(String) = CERTIFICATE_SUBJECT_TITLE, "Certificate Subject Title", plain;
    CertificateSubjectDc(String) = CERTIFICATE_SUBJECT_DC, "Certificate Subject DC", plain;
    CertificateSubjectDnQualifier(String) = CERTIFICATE_SUBJECT_DN_QUALIFIER, "Certificate Subject DN Qualifier", plain;
    CertificateIssuerCn(String) = CERTIFICATE_ISSUER_CN, "Certificate Issuer CN", plain;
    CertificateIssuerO(String) = CERTIFICATE_ISSUER_O, "Certificate Issuer O", plain;
    CertificateIssuerOu(String) = CERTIFICATE_ISSUER_OU, "Certificate Issuer OU", plain;
    CertificateIssuerEmail(String) = CERTIFICATE_ISSUER_EMAIL, "Certificate Issuer Email", plain;
    CertificateIssuerC(String) = CERTIFICATE_ISSUER_C, "Certificate Issuer C", plain;
    CertificateIssuerSt(String) = CERTIFICATE_ISSUER_ST, "Certificate Issuer ST", plain;
    CertificateIssuerL(String) = CERTIFICATE_ISSUER_L, "Certificate Issuer L", plain;
    CertificateIssuerUid(String) = CERTIFICATE_ISSUER_UID, "Certificate Issuer UID", plain;
    CertificateIssuerSerialNumber(String) = CERTIFICATE_ISSUER_SERIAL_NUMBER, "Certificate Issuer Serial Number", plain;
    CertificateIssuerTitle(String) = CERTIFICATE_ISSUER_TITLE, "Certificate Issuer Title", plain;
    CertificateIssuerDc(String) = CERTIFICATE_ISSUER_DC, "Certificate Issuer DC", plain;
    CertificateIssuerDnQualifier(String) = CERTIFICATE_ISSUER_DN_QUALIFIER, "Certificate Issuer DN Qualifier", plain;
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
        // 2.0 only renamed custom attributes.
        let until = if matches!(self, Self::Custom) { None } else { self.rules().until };
        version.is_within(self.since(), until)
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
                | Self::RotateDate
        )
    }
}

#[cfg(test)]
mod tests;
