//! Which objects have which attributes.

use kmip::{ProtocolVersion, attribute::AttributeKind, registry::ObjectType};

/// Whether objects of this type may have the attribute, for a client of `version`. KMIP 1.4 §3, 2.1 §4.
///
/// 1.x names the types of each attribute, 2.x gives nearly all to all. The start of processing and the end of
/// protection stand with symmetric keys only in 1.x, but its own profiles set them on key pairs; here every
/// cryptographic object may have them.
#[must_use]
pub fn applies(kind: AttributeKind, object_type: ObjectType, version: ProtocolVersion) -> bool {
    use AttributeKind as K;
    let is = |types: &[ObjectType]| types.contains(&object_type);
    match kind {
        K::CertificateType
        | K::CertificateLength
        | K::X509CertificateIdentifier
        | K::X509CertificateSubject
        | K::X509CertificateIssuer
        | K::CertificateIdentifier
        | K::CertificateSubject
        | K::CertificateIssuer => is(&[ObjectType::Certificate]),
        // What 2.x calls the Certificate Attributes: one for each part of the two names.
        K::CertificateSubjectCn
        | K::CertificateSubjectO
        | K::CertificateSubjectOu
        | K::CertificateSubjectEmail
        | K::CertificateSubjectC
        | K::CertificateSubjectSt
        | K::CertificateSubjectL
        | K::CertificateSubjectUid
        | K::CertificateSubjectSerialNumber
        | K::CertificateSubjectTitle
        | K::CertificateSubjectDc
        | K::CertificateSubjectDnQualifier
        | K::CertificateIssuerCn
        | K::CertificateIssuerO
        | K::CertificateIssuerOu
        | K::CertificateIssuerEmail
        | K::CertificateIssuerC
        | K::CertificateIssuerSt
        | K::CertificateIssuerL
        | K::CertificateIssuerUid
        | K::CertificateIssuerSerialNumber
        | K::CertificateIssuerTitle
        | K::CertificateIssuerDc
        | K::CertificateIssuerDnQualifier => is(&[ObjectType::Certificate, ObjectType::CertificateRequest]),
        K::OpaqueDataType => is(&[ObjectType::OpaqueObject]),
        K::KeyFormatType | K::NistKeyType | K::QuantumSafe => is_cryptographic(object_type),
        K::DigitalSignatureAlgorithm => is(&[ObjectType::Certificate, ObjectType::PgpKey]),
        K::KeyValuePresent | K::KeyValueLocation => {
            is(&[ObjectType::SymmetricKey, ObjectType::PrivateKey, ObjectType::SplitKey, ObjectType::SecretData])
        }
        K::CryptographicDomainParameters => {
            is(&[ObjectType::PublicKey, ObjectType::PrivateKey, ObjectType::SplitKey, ObjectType::Template])
        }
        _ if version >= ProtocolVersion::V2_0 => true,
        // Attributes that only 2.x has; a client of 1.x cannot name them.
        K::ProtectionLevel
        | K::ProtectionPeriod
        | K::ProtectionStorageMask
        | K::ShortUniqueIdentifier
        | K::RotateAutomatic
        | K::RotateDate
        | K::RotateGeneration
        | K::RotateInterval
        | K::RotateLatest
        | K::RotateName
        | K::RotateOffset => false,
        K::UniqueIdentifier
        | K::Name
        | K::ObjectType
        | K::OperationPolicyName
        | K::InitialDate
        | K::ArchiveDate
        | K::ObjectGroup
        | K::ApplicationSpecificInformation
        | K::ContactInformation
        | K::LastChangeDate
        | K::AlternativeName
        | K::OriginalCreationDate
        | K::Description
        | K::Comment
        | K::Sensitive
        | K::AlwaysSensitive
        | K::Extractable
        | K::NeverExtractable
        | K::Custom => true,
        K::CryptographicAlgorithm | K::CryptographicLength | K::CryptographicParameters => {
            is_key(object_type) || is(&[ObjectType::Certificate, ObjectType::Template])
                // A secret may say how long it is and what it is for; the profiles' cases do so.
                || is(&[ObjectType::SecretData])
        }
        K::UsageLimits => is_key(object_type) || is(&[ObjectType::Template]),
        K::CryptographicUsageMask
        | K::ActivationDate
        | K::DeactivationDate
        | K::ProcessStartDate
        | K::ProtectStopDate => is_cryptographic(object_type) || is(&[ObjectType::Template]),
        K::Digest | K::DestroyDate | K::CompromiseOccurrenceDate | K::CompromiseDate | K::RevocationReason => {
            is_cryptographic(object_type) || is(&[ObjectType::OpaqueObject])
        }
        K::LeaseTime | K::State | K::Fresh | K::Link | K::RandomNumberGenerator | K::Pkcs12FriendlyName => {
            is_cryptographic(object_type)
        }
    }
}

const fn is_key(object_type: ObjectType) -> bool {
    matches!(
        object_type,
        ObjectType::SymmetricKey
            | ObjectType::PublicKey
            | ObjectType::PrivateKey
            | ObjectType::SplitKey
            | ObjectType::PgpKey
    )
}

/// Managed Cryptographic Objects: all but opaque ones and templates. KMIP 1.4 §2.2.
#[must_use]
pub const fn is_cryptographic(object_type: ObjectType) -> bool {
    match object_type {
        ObjectType::Certificate
        | ObjectType::SymmetricKey
        | ObjectType::PublicKey
        | ObjectType::PrivateKey
        | ObjectType::SplitKey
        | ObjectType::SecretData
        | ObjectType::PgpKey
        | ObjectType::CertificateRequest => true,
        ObjectType::Template | ObjectType::OpaqueObject => false,
    }
}
