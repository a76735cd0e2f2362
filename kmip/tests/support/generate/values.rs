//! Values of fields and attributes.

use kmip::ProtocolVersion;
use kmip::Tag;
use kmip::attribute::*;
use kmip::registry::*;
use kmip::ttlv::{DateTime, DateTimeExtended, Interval, OwnedItem, Wire, Writer};
use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use secret::Secret;

/// A value of an enumeration that the version knows; any at all of one that came later, for fields that are left out.
pub(super) fn one<T: Wire + Copy + std::fmt::Debug + 'static>(
    all: &'static [T],
    version: ProtocolVersion,
) -> BoxedStrategy<T> {
    let known: Vec<T> = all.iter().copied().filter(|value| value.known_in(version)).collect();
    select(if known.is_empty() { all.to_vec() } else { known }).boxed()
}

pub(super) fn text() -> BoxedStrategy<String> {
    "\\PC{0,12}".boxed()
}

pub(super) fn bytes() -> BoxedStrategy<Vec<u8>> {
    vec(any::<u8>(), 0..20).boxed()
}

pub(super) fn secret() -> BoxedStrategy<Secret> {
    vec(any::<u8>(), 0..40).prop_map(Secret::new).boxed()
}

pub(super) fn password() -> BoxedStrategy<Secret> {
    text().prop_map(|text| Secret::new(text.into_bytes())).boxed()
}

pub(super) fn date() -> BoxedStrategy<DateTime> {
    any::<i64>().prop_map(DateTime).boxed()
}

/// Bits that the version has, and a vendor's.
pub(super) fn mask(v: ProtocolVersion) -> BoxedStrategy<UsageMask> {
    any::<u32>().prop_map(move |bits| UsageMask(UsageMask::TABLE.mask_in(bits, v))).boxed()
}

/// An identifier in any form that the version has.
pub(super) fn identifier(v: ProtocolVersion) -> BoxedStrategy<Identifier> {
    let text = text().prop_map(Identifier::Text);
    if v < ProtocolVersion::V2_0 {
        return text.boxed();
    }
    prop_oneof![
        4 => text,
        1 => one!(UniqueIdentifierPlaceholder, v).prop_map(Identifier::Placeholder),
        1 => any::<i32>().prop_map(Identifier::Index),
    ]
    .boxed()
}

pub(super) fn id(v: ProtocolVersion) -> BoxedStrategy<Option<Identifier>> {
    of(identifier(v)).boxed()
}

/// An item of any type under `tag`, also a structure with vendors' tags.
pub(super) fn owned(tag: Tag) -> BoxedStrategy<OwnedItem> {
    let write = move |write: Box<dyn Fn(&mut Writer)>| {
        let mut w = Writer::new(ProtocolVersion::V1_4);
        write(&mut w);
        OwnedItem::from_bytes(&w.finish()).unwrap()
    };
    prop_oneof![
        any::<i32>().prop_map(move |v| write(Box::new(move |w| w.integer(tag, v)))),
        any::<i64>().prop_map(move |v| write(Box::new(move |w| w.long_integer(tag, v)))),
        bytes().prop_map(move |v| write(Box::new(move |w| w.big_integer(tag, &v)))),
        any::<u32>().prop_map(move |v| write(Box::new(move |w| w.enumeration(tag, v)))),
        any::<bool>().prop_map(move |v| write(Box::new(move |w| w.boolean(tag, v)))),
        text().prop_map(move |v| write(Box::new(move |w| w.text(tag, &v)))),
        bytes().prop_map(move |v| write(Box::new(move |w| w.bytes(tag, &v)))),
        any::<i64>().prop_map(move |v| write(Box::new(move |w| w.date_time(tag, v)))),
        any::<u32>().prop_map(move |v| write(Box::new(move |w| w.interval(tag, v)))),
        (text(), any::<i32>()).prop_map(move |(a, b)| write(Box::new(move |w| w.structure(tag, |w| {
            w.text(Tag(0x54_0001), &a);
            w.integer(Tag(0x54_0002), b);
        })))),
    ]
    .boxed()
}

pub(super) fn vendor_structure(tag: Tag) -> BoxedStrategy<OwnedItem> {
    owned(Tag(0x54_0003))
        .prop_map(move |inside| {
            let mut w = Writer::new(ProtocolVersion::V1_4);
            w.structure(tag, |w| w.raw(inside.as_bytes()));
            OwnedItem::from_bytes(&w.finish()).unwrap()
        })
        .boxed()
}

pub(super) fn name(v: ProtocolVersion) -> BoxedStrategy<Name> {
    (text(), one!(NameType, v)).prop_map(|(value, name_type)| Name { value, name_type }).boxed()
}

pub(super) fn cryptographic_parameters(v: ProtocolVersion) -> BoxedStrategy<CryptographicParameters> {
    let first = (
        of(one!(BlockCipherMode, v)),
        of(one!(PaddingMethod, v)),
        of(one!(HashingAlgorithm, v)),
        of(one!(KeyRoleType, v)),
        of(one!(DigitalSignatureAlgorithm, v)),
        of(one!(CryptographicAlgorithm, v)),
        of(any::<bool>()),
    );
    let numbers = vec(of(any::<i32>()), 8);
    let last = (of(one!(MaskGenerator, v)), of(one!(HashingAlgorithm, v)), of(bytes()));
    (first, numbers, last)
        .prop_map(|(first, numbers, last)| CryptographicParameters {
            block_cipher_mode: first.0,
            padding_method: first.1,
            hashing_algorithm: first.2,
            key_role_type: first.3,
            digital_signature_algorithm: first.4,
            cryptographic_algorithm: first.5,
            random_iv: first.6,
            iv_length: numbers[0],
            tag_length: numbers[1],
            fixed_field_length: numbers[2],
            invocation_field_length: numbers[3],
            counter_length: numbers[4],
            initial_counter_value: numbers[5],
            salt_length: numbers[6],
            mask_generator: last.0,
            mask_generator_hashing_algorithm: last.1,
            p_source: last.2,
            trailer_field: numbers[7],
        })
        .boxed()
}

pub(super) fn rng_parameters(v: ProtocolVersion) -> BoxedStrategy<RngParameters> {
    (
        one!(RngAlgorithm, v),
        of(one!(CryptographicAlgorithm, v)),
        of(any::<i32>()),
        of(one!(HashingAlgorithm, v)),
        of(one!(DrbgAlgorithm, v)),
        of(one!(RecommendedCurve, v)),
        of(one!(Fips186Variation, v)),
        of(any::<bool>()),
    )
        .prop_map(|fields| RngParameters {
            rng_algorithm: fields.0,
            cryptographic_algorithm: fields.1,
            cryptographic_length: fields.2,
            hashing_algorithm: fields.3,
            drbg_algorithm: fields.4,
            recommended_curve: fields.5,
            fips186_variation: fields.6,
            prediction_resistance: fields.7,
        })
        .boxed()
}

/// A value of one attribute. Without a wildcard arm: an attribute that has no generator does not compile.
pub(super) fn value_of(kind: AttributeKind, v: ProtocolVersion) -> BoxedStrategy<AttributeValue> {
    use AttributeKind as K;
    use AttributeValue as V;
    match kind {
        K::UniqueIdentifier => text().prop_map(V::UniqueIdentifier).boxed(),
        K::Name => name(v).prop_map(V::Name).boxed(),
        K::ObjectType => one!(ObjectType, v).prop_map(V::ObjectType).boxed(),
        K::CryptographicAlgorithm => one!(CryptographicAlgorithm, v).prop_map(V::CryptographicAlgorithm).boxed(),
        K::CryptographicLength => any::<i32>().prop_map(V::CryptographicLength).boxed(),
        K::CryptographicParameters => {
            cryptographic_parameters(v).prop_map(|value| V::CryptographicParameters(Box::new(value))).boxed()
        }
        K::CryptographicDomainParameters => (of(any::<i32>()), of(one!(RecommendedCurve, v)))
            .prop_map(|(qlength, recommended_curve)| {
                V::CryptographicDomainParameters(CryptographicDomainParameters { qlength, recommended_curve })
            })
            .boxed(),
        K::CertificateType => one!(CertificateType, v).prop_map(V::CertificateType).boxed(),
        K::CertificateLength => any::<i32>().prop_map(V::CertificateLength).boxed(),
        K::X509CertificateIdentifier => (bytes(), bytes())
            .prop_map(|(issuer_distinguished_name, certificate_serial_number)| {
                V::X509CertificateIdentifier(Box::new(X509CertificateIdentifier {
                    issuer_distinguished_name,
                    certificate_serial_number,
                }))
            })
            .boxed(),
        K::X509CertificateSubject => (bytes(), vec(bytes(), 0..3))
            .prop_map(|(subject_distinguished_name, subject_alternative_name)| {
                V::X509CertificateSubject(Box::new(X509CertificateSubject {
                    subject_distinguished_name,
                    subject_alternative_name,
                }))
            })
            .boxed(),
        K::X509CertificateIssuer => (bytes(), vec(bytes(), 0..3))
            .prop_map(|(issuer_distinguished_name, issuer_alternative_name)| {
                V::X509CertificateIssuer(Box::new(X509CertificateIssuer {
                    issuer_distinguished_name,
                    issuer_alternative_name,
                }))
            })
            .boxed(),
        K::CertificateIdentifier => (text(), of(text()))
            .prop_map(|(issuer, serial_number)| {
                V::CertificateIdentifier(Box::new(CertificateIdentifier { issuer, serial_number }))
            })
            .boxed(),
        K::CertificateSubject => (text(), vec(text(), 0..3))
            .prop_map(|(distinguished_name, alternative_name)| {
                V::CertificateSubject(Box::new(CertificateSubject { distinguished_name, alternative_name }))
            })
            .boxed(),
        K::CertificateIssuer => (text(), vec(text(), 0..3))
            .prop_map(|(distinguished_name, alternative_name)| {
                V::CertificateIssuer(Box::new(CertificateIssuer { distinguished_name, alternative_name }))
            })
            .boxed(),
        K::DigitalSignatureAlgorithm => {
            one!(DigitalSignatureAlgorithm, v).prop_map(V::DigitalSignatureAlgorithm).boxed()
        }
        K::Digest => (one!(HashingAlgorithm, v), of(bytes()), of(one!(KeyFormatType, v)))
            .prop_map(|(hashing_algorithm, digest_value, key_format_type)| {
                V::Digest(Digest { hashing_algorithm, digest_value, key_format_type })
            })
            .boxed(),
        K::OperationPolicyName => text().prop_map(V::OperationPolicyName).boxed(),
        K::CryptographicUsageMask => mask(v).prop_map(V::CryptographicUsageMask).boxed(),
        K::LeaseTime => any::<u32>().prop_map(|seconds| V::LeaseTime(Interval(seconds))).boxed(),
        K::UsageLimits => (of(any::<i64>()), of(any::<i64>()), of(one!(UsageLimitsUnit, v)))
            .prop_map(|(total, count, unit)| V::UsageLimits(Box::new(UsageLimits { total, count, unit })))
            .boxed(),
        K::State => one!(State, v).prop_map(V::State).boxed(),
        K::InitialDate => date().prop_map(V::InitialDate).boxed(),
        K::ActivationDate => date().prop_map(V::ActivationDate).boxed(),
        K::ProcessStartDate => date().prop_map(V::ProcessStartDate).boxed(),
        K::ProtectStopDate => date().prop_map(V::ProtectStopDate).boxed(),
        K::DeactivationDate => date().prop_map(V::DeactivationDate).boxed(),
        K::DestroyDate => date().prop_map(V::DestroyDate).boxed(),
        K::CompromiseOccurrenceDate => date().prop_map(V::CompromiseOccurrenceDate).boxed(),
        K::CompromiseDate => date().prop_map(V::CompromiseDate).boxed(),
        K::RevocationReason => revocation_reason(v).prop_map(V::RevocationReason).boxed(),
        K::ArchiveDate => date().prop_map(V::ArchiveDate).boxed(),
        K::ObjectGroup => text().prop_map(V::ObjectGroup).boxed(),
        K::Fresh => any::<bool>().prop_map(V::Fresh).boxed(),
        K::Link => (one!(LinkType, v), identifier(v))
            .prop_map(|(link_type, linked_object_identifier)| V::Link(Link { link_type, linked_object_identifier }))
            .boxed(),
        K::ApplicationSpecificInformation => (text(), of(text()))
            .prop_map(|(application_namespace, application_data)| {
                V::ApplicationSpecificInformation(Box::new(ApplicationSpecificInformation {
                    application_namespace,
                    application_data,
                }))
            })
            .boxed(),
        K::ContactInformation => text().prop_map(V::ContactInformation).boxed(),
        K::LastChangeDate => date().prop_map(V::LastChangeDate).boxed(),
        K::AlternativeName => (text(), one!(AlternativeNameType, v))
            .prop_map(|(value, name_type)| V::AlternativeName(AlternativeName { value, name_type }))
            .boxed(),
        K::KeyValuePresent => any::<bool>().prop_map(V::KeyValuePresent).boxed(),
        K::KeyValueLocation => (text(), one!(KeyValueLocationType, v))
            .prop_map(|(value, location_type)| V::KeyValueLocation(KeyValueLocation { value, location_type }))
            .boxed(),
        K::OriginalCreationDate => date().prop_map(V::OriginalCreationDate).boxed(),
        K::RandomNumberGenerator => {
            rng_parameters(v).prop_map(|value| V::RandomNumberGenerator(Box::new(value))).boxed()
        }
        K::Pkcs12FriendlyName => text().prop_map(V::Pkcs12FriendlyName).boxed(),
        K::Description => text().prop_map(V::Description).boxed(),
        K::Comment => text().prop_map(V::Comment).boxed(),
        K::Sensitive => any::<bool>().prop_map(V::Sensitive).boxed(),
        K::AlwaysSensitive => any::<bool>().prop_map(V::AlwaysSensitive).boxed(),
        K::Extractable => any::<bool>().prop_map(V::Extractable).boxed(),
        K::NeverExtractable => any::<bool>().prop_map(V::NeverExtractable).boxed(),
        K::KeyFormatType => one!(KeyFormatType, v).prop_map(V::KeyFormatType).boxed(),
        K::NistKeyType => one!(NistKeyType, v).prop_map(V::NistKeyType).boxed(),
        K::OpaqueDataType => any::<u32>().prop_map(|number| V::OpaqueDataType(OpaqueDataType(number))).boxed(),
        K::ProtectionLevel => one!(ProtectionLevel, v).prop_map(V::ProtectionLevel).boxed(),
        K::ProtectionPeriod => any::<u32>().prop_map(|seconds| V::ProtectionPeriod(Interval(seconds))).boxed(),
        K::ProtectionStorageMask => {
            any::<u32>().prop_map(|mask| V::ProtectionStorageMask(ProtectionStorageMask(mask))).boxed()
        }
        K::QuantumSafe => any::<bool>().prop_map(V::QuantumSafe).boxed(),
        K::ShortUniqueIdentifier => bytes().prop_map(V::ShortUniqueIdentifier).boxed(),
        K::RotateAutomatic => any::<bool>().prop_map(V::RotateAutomatic).boxed(),
        K::RotateDate => date().prop_map(V::RotateDate).boxed(),
        K::RotateGeneration => any::<i32>().prop_map(V::RotateGeneration).boxed(),
        K::RotateInterval => any::<u32>().prop_map(|seconds| V::RotateInterval(Interval(seconds))).boxed(),
        K::RotateLatest => any::<bool>().prop_map(V::RotateLatest).boxed(),
        K::RotateName => (text(), one!(RotateNameType, v))
            .prop_map(|(value, name_type)| V::RotateName(RotateName { value, name_type }))
            .boxed(),
        K::RotateOffset => any::<u32>().prop_map(|seconds| V::RotateOffset(Interval(seconds))).boxed(),
        K::CertificateSubjectCn => text().prop_map(V::CertificateSubjectCn).boxed(),
        K::CertificateSubjectO => text().prop_map(V::CertificateSubjectO).boxed(),
        K::CertificateSubjectOu => text().prop_map(V::CertificateSubjectOu).boxed(),
        K::CertificateSubjectEmail => text().prop_map(V::CertificateSubjectEmail).boxed(),
        K::CertificateSubjectC => text().prop_map(V::CertificateSubjectC).boxed(),
        K::CertificateSubjectSt => text().prop_map(V::CertificateSubjectSt).boxed(),
        K::CertificateSubjectL => text().prop_map(V::CertificateSubjectL).boxed(),
        K::CertificateSubjectUid => text().prop_map(V::CertificateSubjectUid).boxed(),
        K::CertificateSubjectSerialNumber => text().prop_map(V::CertificateSubjectSerialNumber).boxed(),
        K::CertificateSubjectTitle => text().prop_map(V::CertificateSubjectTitle).boxed(),
        K::CertificateSubjectDc => text().prop_map(V::CertificateSubjectDc).boxed(),
        K::CertificateSubjectDnQualifier => text().prop_map(V::CertificateSubjectDnQualifier).boxed(),
        K::CertificateIssuerCn => text().prop_map(V::CertificateIssuerCn).boxed(),
        K::CertificateIssuerO => text().prop_map(V::CertificateIssuerO).boxed(),
        K::CertificateIssuerOu => text().prop_map(V::CertificateIssuerOu).boxed(),
        K::CertificateIssuerEmail => text().prop_map(V::CertificateIssuerEmail).boxed(),
        K::CertificateIssuerC => text().prop_map(V::CertificateIssuerC).boxed(),
        K::CertificateIssuerSt => text().prop_map(V::CertificateIssuerSt).boxed(),
        K::CertificateIssuerL => text().prop_map(V::CertificateIssuerL).boxed(),
        K::CertificateIssuerUid => text().prop_map(V::CertificateIssuerUid).boxed(),
        K::CertificateIssuerSerialNumber => text().prop_map(V::CertificateIssuerSerialNumber).boxed(),
        K::CertificateIssuerTitle => text().prop_map(V::CertificateIssuerTitle).boxed(),
        K::CertificateIssuerDc => text().prop_map(V::CertificateIssuerDc).boxed(),
        K::CertificateIssuerDnQualifier => text().prop_map(V::CertificateIssuerDnQualifier).boxed(),
        K::Custom => (vendor_name(v), vendor_value(v))
            .prop_map(|(name, value)| V::custom(name, |w| w.raw(value.as_bytes())).unwrap())
            .boxed(),
    }
}

/// The value of a vendor's attribute. 1.x has no Date-Time Extended.
pub(super) fn vendor_value(v: ProtocolVersion) -> BoxedStrategy<OwnedItem> {
    let date = any::<i64>().prop_map(|value| OwnedItem::of(Tag::ATTRIBUTE_VALUE, &DateTimeExtended(value)).unwrap());
    let value = owned(Tag::ATTRIBUTE_VALUE);
    if v < ProtocolVersion::V2_0 { value } else { prop_oneof![8 => value, 1 => date].boxed() }
}

/// The name of a vendor's attribute. 1.x knows two vendors.
pub(super) fn vendor_name(v: ProtocolVersion) -> BoxedStrategy<String> {
    if v < ProtocolVersion::V2_0 { "[xy]-\\PC{0,8}".boxed() } else { "(x|y|[A-Za-z0-9_.]{1,5})-\\PC{0,8}".boxed() }
}

/// A name that may be asked for.
pub(super) fn attribute_name(v: ProtocolVersion) -> BoxedStrategy<String> {
    let kinds: Vec<_> = AttributeKind::ALL.iter().copied().filter(|kind| kind.is_known_to(v)).collect();
    let known = select(kinds).prop_map(|kind| kind.text().to_owned());
    let other = if v.is_2_x() { "0x54000[1-9]".boxed() } else { text() };
    prop_oneof![4 => known.prop_filter("a name", |name| name != "Custom Attribute"), 1 => vendor_name(v), 1 => other]
        .boxed()
}

/// Names, each once.
pub(super) fn attribute_names(v: ProtocolVersion) -> BoxedStrategy<Vec<String>> {
    btree_set(attribute_name(v), 0..4).prop_map(|names| names.into_iter().collect()).boxed()
}

pub(super) fn storage_masks() -> BoxedStrategy<ProtectionStorageMasks> {
    vec(any::<u32>().prop_map(ProtectionStorageMask), 0..3).prop_map(|masks| ProtectionStorageMasks { masks }).boxed()
}

pub(super) fn revocation_reason(v: ProtocolVersion) -> BoxedStrategy<RevocationReason> {
    (one!(RevocationReasonCode, v), of(text())).prop_map(|(code, message)| RevocationReason { code, message }).boxed()
}

/// A value of any attribute that `v` has.
pub fn attribute_value(v: ProtocolVersion) -> BoxedStrategy<AttributeValue> {
    let kinds: Vec<_> = AttributeKind::ALL.iter().copied().filter(|kind| kind.is_known_to(v)).collect();
    select(kinds).prop_flat_map(move |kind| value_of(kind, v)).boxed()
}

pub fn attribute(v: ProtocolVersion) -> BoxedStrategy<Attribute> {
    // 2.x has no index.
    let index = if v.is_2_x() { Just(None).boxed() } else { of(any::<i32>()).boxed() };
    (index, attribute_value(v)).prop_map(|(index, value)| Attribute { index, value }).boxed()
}

pub(super) fn attributes(v: ProtocolVersion) -> BoxedStrategy<Vec<Attribute>> {
    vec(attribute(v), 0..6).boxed()
}

pub(super) fn template_attribute(v: ProtocolVersion) -> BoxedStrategy<TemplateAttribute> {
    // 2.x has no templates.
    let names = if v.is_2_x() { 0..1 } else { 0..2 };
    (vec(name(v), names), attributes(v)).prop_map(|(names, attributes)| TemplateAttribute { names, attributes }).boxed()
}
