//! Two values of every attribute: one row for each, so that an attribute without does not compile.

use kmip::attribute::{
    AlternativeName, ApplicationSpecificInformation, AttributeKind, AttributeValue, CertificateIdentifier,
    CertificateIssuer, CertificateSubject, CryptographicDomainParameters, CryptographicParameters, Digest,
    KeyValueLocation, Link, Name, RevocationReason, RngParameters, RotateName, UsageLimits, X509CertificateIdentifier,
    X509CertificateIssuer, X509CertificateSubject,
};
use kmip::registry::{
    AlternativeNameType, CertificateType, CryptographicAlgorithm, DigitalSignatureAlgorithm, HashingAlgorithm,
    KeyFormatType, KeyValueLocationType, LinkType, NistKeyType, ObjectType, OpaqueDataType, ProtectionLevel,
    ProtectionStorageMask, RecommendedCurve, RevocationReasonCode, RngAlgorithm, RotateNameType, State,
    UsageLimitsUnit, UsageMask,
};
use kmip::ttlv::{DateTime, Interval};

/// A value; for each `number` another one, unless there is one only.
#[expect(clippy::too_many_lines, reason = "a row for each attribute")]
pub(crate) fn value(kind: AttributeKind, number: u8, now_s: i64) -> AttributeValue {
    use AttributeKind as K;
    use AttributeValue as V;
    let first = number == 0;
    let text = |what: &str| format!("{what} {number}");
    // Dates far enough ahead that none is reached while the test runs, in their order.
    let ahead = |days: i64| DateTime(now_s + days * 86_400 + i64::from(number));
    let back = DateTime(now_s - 86_400 - i64::from(number));
    let identifier = |last: u8| format!("01890000-0000-7000-8000-0000000000{last:02x}");
    match kind {
        K::UniqueIdentifier => V::UniqueIdentifier(identifier(number)),
        K::Name => V::Name(Name::text(format!("name {} {number}", uuid::Uuid::new_v4()))),
        K::ObjectType => V::ObjectType(if first { ObjectType::SymmetricKey } else { ObjectType::SecretData }),
        K::CryptographicAlgorithm => V::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        K::CryptographicLength => V::CryptographicLength(256),
        K::CryptographicParameters => {
            let hashing_algorithm = Some(if first { HashingAlgorithm::Sha256 } else { HashingAlgorithm::Sha512 });
            V::CryptographicParameters(Box::new(CryptographicParameters { hashing_algorithm, ..Default::default() }))
        }
        K::CryptographicDomainParameters => V::CryptographicDomainParameters(CryptographicDomainParameters {
            qlength: Some(256),
            recommended_curve: Some(RecommendedCurve::P256),
        }),
        K::CertificateType => V::CertificateType(CertificateType::X509),
        K::CertificateLength => V::CertificateLength(1000 + i32::from(number)),
        K::X509CertificateIdentifier => V::X509CertificateIdentifier(Box::new(X509CertificateIdentifier {
            issuer_distinguished_name: vec![0x30, 0],
            certificate_serial_number: vec![2, 1, number],
        })),
        K::X509CertificateSubject => V::X509CertificateSubject(Box::new(X509CertificateSubject {
            subject_distinguished_name: vec![0x30, 0],
            subject_alternative_name: vec![vec![number]],
        })),
        K::X509CertificateIssuer => V::X509CertificateIssuer(Box::new(X509CertificateIssuer {
            issuer_distinguished_name: vec![0x30, 0],
            issuer_alternative_name: vec![vec![number]],
        })),
        K::CertificateIdentifier => V::CertificateIdentifier(Box::new(CertificateIdentifier {
            issuer: text("CN=issuer"),
            serial_number: Some("1".to_owned()),
        })),
        K::CertificateSubject => V::CertificateSubject(Box::new(CertificateSubject {
            distinguished_name: text("CN=subject"),
            alternative_name: Vec::new(),
        })),
        K::CertificateIssuer => V::CertificateIssuer(Box::new(CertificateIssuer {
            distinguished_name: text("CN=issuer"),
            alternative_name: Vec::new(),
        })),
        K::DigitalSignatureAlgorithm => {
            V::DigitalSignatureAlgorithm(DigitalSignatureAlgorithm::Sha256WithRsaEncryption)
        }
        K::Digest => V::Digest(Digest {
            hashing_algorithm: HashingAlgorithm::Sha256,
            digest_value: Some(vec![number; 32]),
            key_format_type: None,
        }),
        K::OperationPolicyName => V::OperationPolicyName(text("policy")),
        K::CryptographicUsageMask => V::CryptographicUsageMask(UsageMask::ENCRYPT),
        K::LeaseTime => V::LeaseTime(Interval(60 + u32::from(number))),
        K::UsageLimits => V::UsageLimits(Box::new(UsageLimits {
            total: Some(100 + i64::from(number)),
            count: None,
            unit: Some(UsageLimitsUnit::Byte),
        })),
        K::State => V::State(if first { State::Active } else { State::Deactivated }),
        K::InitialDate => V::InitialDate(back),
        K::ActivationDate => V::ActivationDate(ahead(1)),
        K::ProcessStartDate => V::ProcessStartDate(ahead(2)),
        K::ProtectStopDate => V::ProtectStopDate(ahead(3)),
        K::DeactivationDate => V::DeactivationDate(ahead(4)),
        K::DestroyDate => V::DestroyDate(back),
        K::CompromiseOccurrenceDate => V::CompromiseOccurrenceDate(back),
        K::CompromiseDate => V::CompromiseDate(back),
        K::RevocationReason => {
            V::RevocationReason(RevocationReason { code: RevocationReasonCode::KeyCompromise, message: None })
        }
        K::ArchiveDate => V::ArchiveDate(back),
        K::ObjectGroup => V::ObjectGroup(text("group")),
        K::Fresh => V::Fresh(first),
        K::Link => V::Link(Link {
            link_type: LinkType::DerivationBaseObjectLink,
            linked_object_identifier: identifier(0x10 + number).into(),
        }),
        K::ApplicationSpecificInformation => {
            V::ApplicationSpecificInformation(Box::new(ApplicationSpecificInformation {
                application_namespace: "ssl".to_owned(),
                application_data: Some(text("data")),
            }))
        }
        K::ContactInformation => V::ContactInformation(text("contact")),
        K::LastChangeDate => V::LastChangeDate(back),
        K::AlternativeName => V::AlternativeName(AlternativeName {
            value: text("alternative"),
            name_type: AlternativeNameType::UninterpretedTextString,
        }),
        K::KeyValuePresent => V::KeyValuePresent(first),
        K::KeyValueLocation => V::KeyValueLocation(KeyValueLocation {
            value: text("elsewhere"),
            location_type: KeyValueLocationType::UninterpretedTextString,
        }),
        K::OriginalCreationDate => V::OriginalCreationDate(back),
        K::RandomNumberGenerator => V::RandomNumberGenerator(Box::new(RngParameters {
            rng_algorithm: if first { RngAlgorithm::Unspecified } else { RngAlgorithm::Drbg },
            cryptographic_algorithm: None,
            cryptographic_length: None,
            hashing_algorithm: None,
            drbg_algorithm: None,
            recommended_curve: None,
            fips186_variation: None,
            prediction_resistance: None,
        })),
        K::Pkcs12FriendlyName => V::Pkcs12FriendlyName(text("friendly")),
        K::Description => V::Description(text("description")),
        K::Comment => V::Comment(text("comment")),
        // The second value of either is the one way that there is.
        K::Sensitive => V::Sensitive(!first),
        K::AlwaysSensitive => V::AlwaysSensitive(first),
        K::Extractable => V::Extractable(first),
        K::NeverExtractable => V::NeverExtractable(first),
        K::KeyFormatType => V::KeyFormatType(KeyFormatType::Raw),
        K::NistKeyType => V::NistKeyType(if first {
            NistKeyType::SymmetricDataEncryptionKey
        } else {
            NistKeyType::SymmetricKeyWrappingKey
        }),
        K::OpaqueDataType => V::OpaqueDataType(OpaqueDataType(0x8000_0001)),
        K::ProtectionLevel => V::ProtectionLevel(if first { ProtectionLevel::High } else { ProtectionLevel::Low }),
        K::ProtectionPeriod => V::ProtectionPeriod(Interval(60 + u32::from(number))),
        K::ProtectionStorageMask => V::ProtectionStorageMask(ProtectionStorageMask::SOFTWARE),
        K::QuantumSafe => V::QuantumSafe(first),
        K::ShortUniqueIdentifier => V::ShortUniqueIdentifier(vec![number; 8]),
        K::RotateAutomatic => V::RotateAutomatic(first),
        K::RotateDate => V::RotateDate(back),
        K::RotateGeneration => V::RotateGeneration(i32::from(number)),
        K::RotateInterval => V::RotateInterval(Interval(60 + u32::from(number))),
        K::RotateLatest => V::RotateLatest(first),
        K::RotateName => {
            V::RotateName(RotateName { value: text("rotated"), name_type: RotateNameType::UninterpretedTextString })
        }
        K::RotateOffset => V::RotateOffset(Interval(60 + u32::from(number))),
        K::CertificateSubjectCn => V::CertificateSubjectCn(text("part")),
        K::CertificateSubjectO => V::CertificateSubjectO(text("part")),
        K::CertificateSubjectOu => V::CertificateSubjectOu(text("part")),
        K::CertificateSubjectEmail => V::CertificateSubjectEmail(text("part")),
        K::CertificateSubjectC => V::CertificateSubjectC(text("part")),
        K::CertificateSubjectSt => V::CertificateSubjectSt(text("part")),
        K::CertificateSubjectL => V::CertificateSubjectL(text("part")),
        K::CertificateSubjectUid => V::CertificateSubjectUid(text("part")),
        K::CertificateSubjectSerialNumber => V::CertificateSubjectSerialNumber(text("part")),
        K::CertificateSubjectTitle => V::CertificateSubjectTitle(text("part")),
        K::CertificateSubjectDc => V::CertificateSubjectDc(text("part")),
        K::CertificateSubjectDnQualifier => V::CertificateSubjectDnQualifier(text("part")),
        K::CertificateIssuerCn => V::CertificateIssuerCn(text("part")),
        K::CertificateIssuerO => V::CertificateIssuerO(text("part")),
        K::CertificateIssuerOu => V::CertificateIssuerOu(text("part")),
        K::CertificateIssuerEmail => V::CertificateIssuerEmail(text("part")),
        K::CertificateIssuerC => V::CertificateIssuerC(text("part")),
        K::CertificateIssuerSt => V::CertificateIssuerSt(text("part")),
        K::CertificateIssuerL => V::CertificateIssuerL(text("part")),
        K::CertificateIssuerUid => V::CertificateIssuerUid(text("part")),
        K::CertificateIssuerSerialNumber => V::CertificateIssuerSerialNumber(text("part")),
        K::CertificateIssuerTitle => V::CertificateIssuerTitle(text("part")),
        K::CertificateIssuerDc => V::CertificateIssuerDc(text("part")),
        K::CertificateIssuerDnQualifier => V::CertificateIssuerDnQualifier(text("part")),
        K::Custom => V::custom_text("x-walked", &text("custom")).unwrap(),
    }
}
