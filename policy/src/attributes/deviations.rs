//! Where the server is right to do otherwise than the specification's tables of attributes: as data, each with its reason.
//!
//! The tables themselves are the registry's ([`kmip::registry::ATTRIBUTE_RULES`]). A test holds them against a copy of
//! the specification's, and a running server against both; an entry here that is not needed any more fails it.

use AttributeKind as K;
use ObjectType as T;
use kmip::{
    ProtocolVersion,
    attribute::AttributeKind,
    registry::{ObjectType, Operation},
};

/// Objects that may have an attribute although the table does not name them, or may not although it does.
#[derive(Clone, Copy, Debug)]
pub struct TypeDeviation {
    /// The attributes.
    pub kinds: &'static [AttributeKind],
    /// The first version whose table is meant.
    pub since: ProtocolVersion,
    /// The last version; `None` for all that follow.
    pub until: Option<ProtocolVersion>,
    /// Types that may have it as well.
    pub and: &'static [ObjectType],
    /// Types that may not have it.
    pub but_not: &'static [ObjectType],
    /// Why.
    pub why: &'static str,
}

/// Operations that set attributes without being told a value although the table does not name them.
#[derive(Clone, Copy, Debug)]
pub struct ImplicitDeviation {
    /// The attributes.
    pub kinds: &'static [AttributeKind],
    /// The operations that set them too.
    pub by: &'static [Operation],
    /// Why.
    pub why: &'static str,
}

/// An operation that the tables do not name, and those whose work it does.
#[derive(Clone, Copy, Debug)]
pub struct SameWork {
    /// The operation without a place in the tables.
    pub operation: Operation,
    /// Those that the tables name.
    pub as_if: &'static [Operation],
    /// Why.
    pub why: &'static str,
}

const NOT_KEYS: &[ObjectType] =
    &[T::Certificate, T::PublicKey, T::Template, T::OpaqueObject, T::PgpKey, T::CertificateRequest];

/// Every difference in the types of objects.
pub const TYPES: &[TypeDeviation] = &[
    TypeDeviation {
        kinds: &[K::ProcessStartDate, K::ProtectStopDate],
        since: ProtocolVersion::V1_0,
        until: Some(ProtocolVersion::V1_4),
        and: &[T::Certificate, T::PublicKey, T::PrivateKey, T::SecretData, T::PgpKey, T::CertificateRequest],
        but_not: &[],
        why: "1.x names symmetric keys only, and its own profiles set the dates on key pairs",
    },
    TypeDeviation {
        kinds: &[K::CryptographicAlgorithm, K::CryptographicLength, K::CryptographicParameters],
        since: ProtocolVersion::V1_0,
        until: Some(ProtocolVersion::V1_4),
        and: &[T::SecretData],
        but_not: &[],
        why: "a secret may say how long it is and what it is for; the profiles' cases do so",
    },
    TypeDeviation {
        kinds: &[K::CryptographicDomainParameters],
        since: ProtocolVersion::V1_0,
        until: None,
        and: &[T::SplitKey],
        but_not: &[],
        why: "a part of a private key is on the curve of the key",
    },
    TypeDeviation {
        kinds: &[K::KeyFormatType, K::NistKeyType, K::QuantumSafe],
        since: ProtocolVersion::V2_0,
        until: None,
        and: &[],
        but_not: &[T::OpaqueObject, T::Template],
        why: "they speak of a key, and an opaque object is what nobody knows to be one",
    },
    TypeDeviation {
        kinds: &[K::KeyValuePresent, K::KeyValueLocation],
        since: ProtocolVersion::V2_0,
        until: None,
        and: &[],
        but_not: NOT_KEYS,
        why: "they speak of a Key Value; the types are those that 1.x names",
    },
    TypeDeviation {
        kinds: &[
            K::CertificateSubjectCn,
            K::CertificateSubjectO,
            K::CertificateSubjectOu,
            K::CertificateSubjectEmail,
            K::CertificateSubjectC,
            K::CertificateSubjectSt,
            K::CertificateSubjectL,
            K::CertificateSubjectUid,
            K::CertificateSubjectSerialNumber,
            K::CertificateSubjectTitle,
            K::CertificateSubjectDc,
            K::CertificateSubjectDnQualifier,
            K::CertificateIssuerCn,
            K::CertificateIssuerO,
            K::CertificateIssuerOu,
            K::CertificateIssuerEmail,
            K::CertificateIssuerC,
            K::CertificateIssuerSt,
            K::CertificateIssuerL,
            K::CertificateIssuerUid,
            K::CertificateIssuerSerialNumber,
            K::CertificateIssuerTitle,
            K::CertificateIssuerDc,
            K::CertificateIssuerDnQualifier,
        ],
        since: ProtocolVersion::V1_4,
        until: None,
        and: &[T::CertificateRequest],
        but_not: &[],
        why: "a request has the names of the certificate that it asks for",
    },
    TypeDeviation {
        kinds: &[K::Custom],
        since: ProtocolVersion::V2_0,
        until: None,
        and: T::ALL,
        but_not: &[],
        why: "2.x calls them vendors' attributes and has no table of them",
    },
];

const MAKING: &[Operation] = &[
    Operation::Create,
    Operation::CreateKeyPair,
    Operation::Register,
    Operation::DeriveKey,
    Operation::Certify,
    Operation::ReCertify,
    Operation::ReKey,
    Operation::ReKeyKeyPair,
];

/// Operations that put another object in the place of one.
pub(super) const REPLACING: &[Operation] = &[Operation::ReCertify, Operation::ReKey, Operation::ReKeyKeyPair];

/// Every difference in the operations that set attributes of themselves.
pub const IMPLICIT: &[ImplicitDeviation] = &[
    ImplicitDeviation {
        kinds: &[K::KeyFormatType],
        by: MAKING,
        why: "the table names no operation, and the attribute always has a value",
    },
    ImplicitDeviation {
        kinds: &[K::CryptographicDomainParameters],
        by: &[Operation::CreateKeyPair],
        why: "a pair says the curve on which it was made where the request left it to the server",
    },
    ImplicitDeviation {
        kinds: &[K::Pkcs12FriendlyName],
        by: &[Operation::Register],
        why: "it stands in the PKCS#12 file that is registered (KMIP 1.4 §3.47)",
    },
];

/// Attributes that a replacement gets anew or not at all, because they tell of the one object. All others are carried
/// over from the object that it replaces (KMIP 1.4 §4.4, §4.5, §4.8), whatever the tables of attributes say.
pub const NOT_CARRIED_OVER: &[AttributeKind] = &[
    K::Digest,
    K::Link,
    K::RandomNumberGenerator,
    K::OriginalCreationDate,
    K::AlwaysSensitive,
    K::NeverExtractable,
    K::KeyFormatType,
    K::KeyValuePresent,
    K::KeyValueLocation,
    K::ProtectionStorageMask,
    K::ShortUniqueIdentifier,
    K::RotateDate,
    K::RotateGeneration,
    K::RotateLatest,
    K::CertificateType,
    K::CertificateLength,
    K::X509CertificateIdentifier,
    K::X509CertificateSubject,
    K::X509CertificateIssuer,
    K::CertificateIdentifier,
    K::CertificateSubject,
    K::CertificateIssuer,
    K::DigitalSignatureAlgorithm,
    K::CertificateSubjectCn,
    K::CertificateSubjectO,
    K::CertificateSubjectOu,
    K::CertificateSubjectEmail,
    K::CertificateSubjectC,
    K::CertificateSubjectSt,
    K::CertificateSubjectL,
    K::CertificateSubjectUid,
    K::CertificateSubjectSerialNumber,
    K::CertificateSubjectTitle,
    K::CertificateSubjectDc,
    K::CertificateSubjectDnQualifier,
    K::CertificateIssuerCn,
    K::CertificateIssuerO,
    K::CertificateIssuerOu,
    K::CertificateIssuerEmail,
    K::CertificateIssuerC,
    K::CertificateIssuerSt,
    K::CertificateIssuerL,
    K::CertificateIssuerUid,
    K::CertificateIssuerSerialNumber,
    K::CertificateIssuerTitle,
    K::CertificateIssuerDc,
    K::CertificateIssuerDnQualifier,
];

/// Operations that the tables are silent about.
pub const SAME_WORK: &[SameWork] = &[
    SameWork {
        operation: Operation::Import,
        as_if: &[Operation::Register],
        why: "an object that was elsewhere is here from now on",
    },
    SameWork {
        operation: Operation::CreateSplitKey,
        as_if: &[Operation::Create],
        why: "the parts are new objects, of a key made for them or of one that is there",
    },
    SameWork {
        operation: Operation::JoinSplitKey,
        as_if: &[Operation::Register],
        why: "the key that comes of its parts was made when it was split",
    },
    SameWork {
        operation: Operation::ReProvision,
        as_if: &[Operation::CreateKeyPair, Operation::Certify, Operation::Register],
        why: "the client's new credential is a key pair, if need be, and a certificate of the domain's authority",
    },
    SameWork {
        operation: Operation::Locate,
        as_if: &[Operation::Create],
        why: "a fresh member of the default group is made for the one who looks for it (KMIP 1.4 §4.9)",
    },
    SameWork {
        operation: Operation::SetAttribute,
        as_if: &[Operation::ModifyAttribute],
        why: "2.0 added it beside Add and Modify and left the tables as they were",
    },
    SameWork {
        operation: Operation::AdjustAttribute,
        as_if: &[Operation::ModifyAttribute],
        why: "2.0 added it beside Add and Modify and left the tables as they were",
    },
];
