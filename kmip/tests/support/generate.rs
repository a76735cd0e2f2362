//! Any message of KMIP 1.0 to 1.4, for property tests.
//!
//! Every function takes the version whose enumeration values it may use; `ProtocolVersion::EVERY` means all there are,
//! those of 2.x too.

use kmip::ProtocolVersion;
use kmip::Tag;
use kmip::attribute::*;
use kmip::message::*;
use kmip::object::*;
use kmip::payload::*;
use kmip::registry::*;
use kmip::ttlv::{DateTime, Interval, OwnedItem, Wire, Writer};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use secret::Secret;

/// A value of an enumeration.
fn one<T: Wire + Copy + std::fmt::Debug + 'static>(all: &'static [T], version: ProtocolVersion) -> BoxedStrategy<T> {
    let known: Vec<T> = all.iter().copied().filter(|value| value.known_in(version)).collect();
    select(known).boxed()
}

macro_rules! one {
    ($enumeration:ident, $version:expr) => {
        one($enumeration::ALL, $version)
    };
}

fn text() -> BoxedStrategy<String> {
    "\\PC{0,12}".boxed()
}

fn bytes() -> BoxedStrategy<Vec<u8>> {
    vec(any::<u8>(), 0..20).boxed()
}

fn secret() -> BoxedStrategy<Secret> {
    vec(any::<u8>(), 0..40).prop_map(Secret::new).boxed()
}

fn password() -> BoxedStrategy<Secret> {
    text().prop_map(|text| Secret::new(text.into_bytes())).boxed()
}

fn date() -> BoxedStrategy<DateTime> {
    any::<i64>().prop_map(DateTime).boxed()
}

fn mask() -> BoxedStrategy<UsageMask> {
    any::<u32>().prop_map(UsageMask).boxed()
}

fn id() -> BoxedStrategy<Option<String>> {
    of(text()).boxed()
}

/// An item of any type under `tag`, also a structure with vendors' tags.
fn owned(tag: Tag) -> BoxedStrategy<OwnedItem> {
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

fn vendor_structure(tag: Tag) -> BoxedStrategy<OwnedItem> {
    owned(Tag(0x54_0003))
        .prop_map(move |inside| {
            let mut w = Writer::new(ProtocolVersion::V1_4);
            w.structure(tag, |w| w.raw(inside.as_bytes()));
            OwnedItem::from_bytes(&w.finish()).unwrap()
        })
        .boxed()
}

fn name(v: ProtocolVersion) -> BoxedStrategy<Name> {
    (text(), one!(NameType, v)).prop_map(|(value, name_type)| Name { value, name_type }).boxed()
}

fn cryptographic_parameters(v: ProtocolVersion) -> BoxedStrategy<CryptographicParameters> {
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

fn rng_parameters(v: ProtocolVersion) -> BoxedStrategy<RngParameters> {
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
fn value_of(kind: AttributeKind, v: ProtocolVersion) -> BoxedStrategy<AttributeValue> {
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
                V::X509CertificateIdentifier(X509CertificateIdentifier {
                    issuer_distinguished_name,
                    certificate_serial_number,
                })
            })
            .boxed(),
        K::X509CertificateSubject => (bytes(), vec(bytes(), 0..3))
            .prop_map(|(subject_distinguished_name, subject_alternative_name)| {
                V::X509CertificateSubject(X509CertificateSubject {
                    subject_distinguished_name,
                    subject_alternative_name,
                })
            })
            .boxed(),
        K::X509CertificateIssuer => (bytes(), vec(bytes(), 0..3))
            .prop_map(|(issuer_distinguished_name, issuer_alternative_name)| {
                V::X509CertificateIssuer(X509CertificateIssuer { issuer_distinguished_name, issuer_alternative_name })
            })
            .boxed(),
        K::CertificateIdentifier => (text(), of(text()))
            .prop_map(|(issuer, serial_number)| {
                V::CertificateIdentifier(CertificateIdentifier { issuer, serial_number })
            })
            .boxed(),
        K::CertificateSubject => (text(), vec(text(), 0..3))
            .prop_map(|(distinguished_name, alternative_name)| {
                V::CertificateSubject(CertificateSubject { distinguished_name, alternative_name })
            })
            .boxed(),
        K::CertificateIssuer => (text(), vec(text(), 0..3))
            .prop_map(|(distinguished_name, alternative_name)| {
                V::CertificateIssuer(CertificateIssuer { distinguished_name, alternative_name })
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
        K::CryptographicUsageMask => mask().prop_map(V::CryptographicUsageMask).boxed(),
        K::LeaseTime => any::<u32>().prop_map(|seconds| V::LeaseTime(Interval(seconds))).boxed(),
        K::UsageLimits => (of(any::<i64>()), of(any::<i64>()), of(one!(UsageLimitsUnit, v)))
            .prop_map(|(total, count, unit)| V::UsageLimits(UsageLimits { total, count, unit }))
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
        K::Link => (one!(LinkType, v), text())
            .prop_map(|(link_type, linked_object_identifier)| V::Link(Link { link_type, linked_object_identifier }))
            .boxed(),
        K::ApplicationSpecificInformation => (text(), of(text()))
            .prop_map(|(application_namespace, application_data)| {
                V::ApplicationSpecificInformation(ApplicationSpecificInformation {
                    application_namespace,
                    application_data,
                })
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
        K::Custom => ("[xy]-\\PC{0,8}", owned(Tag::ATTRIBUTE_VALUE))
            .prop_map(|(name, value)| V::custom(name, |w| w.raw(value.as_bytes())).unwrap())
            .boxed(),
    }
}

fn revocation_reason(v: ProtocolVersion) -> BoxedStrategy<RevocationReason> {
    (one!(RevocationReasonCode, v), of(text())).prop_map(|(code, message)| RevocationReason { code, message }).boxed()
}

/// A value of any attribute that `v` has.
pub fn attribute_value(v: ProtocolVersion) -> BoxedStrategy<AttributeValue> {
    let kinds: Vec<_> = AttributeKind::ALL.iter().copied().filter(|kind| kind.is_known_to(v)).collect();
    select(kinds).prop_flat_map(move |kind| value_of(kind, v)).boxed()
}

pub fn attribute(v: ProtocolVersion) -> BoxedStrategy<Attribute> {
    (of(any::<i32>()), attribute_value(v)).prop_map(|(index, value)| Attribute { index, value }).boxed()
}

fn attributes(v: ProtocolVersion) -> BoxedStrategy<Vec<Attribute>> {
    vec(attribute(v), 0..6).boxed()
}

fn template_attribute(v: ProtocolVersion) -> BoxedStrategy<TemplateAttribute> {
    (vec(name(v), 0..2), attributes(v)).prop_map(|(names, attributes)| TemplateAttribute { names, attributes }).boxed()
}

fn encryption_key_information(v: ProtocolVersion) -> BoxedStrategy<EncryptionKeyInformation> {
    (text(), of(cryptographic_parameters(v)))
        .prop_map(|(unique_identifier, parameters)| EncryptionKeyInformation {
            unique_identifier,
            cryptographic_parameters: parameters.map(Box::new),
        })
        .boxed()
}

fn mac_key_information(v: ProtocolVersion) -> BoxedStrategy<MacSignatureKeyInformation> {
    (text(), of(cryptographic_parameters(v)))
        .prop_map(|(unique_identifier, parameters)| MacSignatureKeyInformation {
            unique_identifier,
            cryptographic_parameters: parameters.map(Box::new),
        })
        .boxed()
}

fn wrapping_data(v: ProtocolVersion) -> BoxedStrategy<KeyWrappingData> {
    (
        one!(WrappingMethod, v),
        of(encryption_key_information(v)),
        of(mac_key_information(v)),
        of(bytes()),
        of(bytes()),
        of(one!(EncodingOption, v)),
    )
        .prop_map(|fields| KeyWrappingData {
            wrapping_method: fields.0,
            encryption_key_information: fields.1,
            mac_signature_key_information: fields.2,
            mac_signature: fields.3,
            iv_counter_nonce: fields.4,
            encoding_option: fields.5,
        })
        .boxed()
}

fn key_block(v: ProtocolVersion) -> BoxedStrategy<KeyBlock> {
    let around = (of(one!(KeyCompressionType, v)), of(one!(CryptographicAlgorithm, v)), of(any::<i32>()));
    let raw = (one!(KeyFormatType, v), secret(), attributes(v), of(wrapping_data(v))).prop_map(
        |(format, key, attributes, wrapping)| {
            let material = match format {
                KeyFormatType::TransparentSymmetricKey => KeyMaterial::TransparentSymmetric(key),
                _ => KeyMaterial::Bytes(key),
            };
            (format, Some(KeyValue::Plain { material, attributes }), wrapping)
        },
    );
    let wrapped = (one!(KeyFormatType, v), secret(), wrapping_data(v))
        .prop_map(|(format, key, wrapping)| (format, Some(KeyValue::Wrapped(key)), Some(wrapping)));
    let absent = one!(KeyFormatType, v).prop_map(|format| (format, None, None));
    (around, prop_oneof![4 => raw, 2 => wrapped, 1 => absent])
        .prop_map(|((compression, algorithm, length), (format, value, wrapping))| KeyBlock {
            format,
            compression,
            value,
            algorithm,
            length,
            wrapping: wrapping.map(Box::new),
        })
        .boxed()
}

pub fn object(v: ProtocolVersion) -> BoxedStrategy<ManagedObject> {
    prop_oneof![
        key_block(v).prop_map(|key_block| ManagedObject::SymmetricKey(SymmetricKey { key_block })),
        (one!(SecretDataType, v), key_block(v)).prop_map(|(secret_data_type, key_block)| {
            ManagedObject::SecretData(SecretData { secret_data_type, key_block })
        }),
        (any::<u32>(), secret()).prop_map(|(kind, value)| {
            ManagedObject::OpaqueObject(OpaqueObject { opaque_data_type: OpaqueDataType(kind), value })
        }),
        attributes(v).prop_map(|attributes| ManagedObject::Template(Template { attributes })),
    ]
    .boxed()
}

fn versions() -> BoxedStrategy<Vec<ProtocolVersion>> {
    vec((any::<i32>(), any::<i32>()).prop_map(|(major, minor)| ProtocolVersion { major, minor }), 0..4).boxed()
}

/// A payload of any operation. Without a wildcard arm, as above.
pub fn request_payload(v: ProtocolVersion) -> BoxedStrategy<RequestPayload> {
    let operations: Vec<_> = TYPED_OPERATIONS.iter().copied().filter(|operation| operation.known_in(v)).collect();
    select(operations).prop_flat_map(move |operation| request_of(operation, v)).boxed()
}

fn request_of(operation: Operation, v: ProtocolVersion) -> BoxedStrategy<RequestPayload> {
    use RequestPayload as P;
    match operation {
        Operation::DiscoverVersions => versions()
            .prop_map(|protocol_versions| P::DiscoverVersions(DiscoverVersionsRequest { protocol_versions }))
            .boxed(),
        Operation::Query => {
            // At least one question that the oldest version knows: the field has to be there.
            (Just(QueryFunction::QueryOperations), vec(one!(QueryFunction, v), 0..4))
                .prop_map(|(first, rest)| {
                    P::Query(QueryRequest { functions: std::iter::once(first).chain(rest).collect() })
                })
                .boxed()
        }
        Operation::Create => (one!(ObjectType, v), template_attribute(v))
            .prop_map(|(object_type, template_attribute)| P::Create(CreateRequest { object_type, template_attribute }))
            .boxed(),
        Operation::Register => (one!(ObjectType, v), template_attribute(v), object(v))
            .prop_map(|(object_type, template_attribute, object)| {
                P::Register(RegisterRequest { object_type, template_attribute, object })
            })
            .boxed(),
        Operation::Get => {
            let specification = (
                one!(WrappingMethod, v),
                of(encryption_key_information(v)),
                of(mac_key_information(v)),
                vec(text(), 0..3),
                of(one!(EncodingOption, v)),
            )
                .prop_map(|fields| KeyWrappingSpecification {
                    wrapping_method: fields.0,
                    encryption_key_information: fields.1,
                    mac_signature_key_information: fields.2,
                    attribute_names: fields.3,
                    encoding_option: fields.4,
                });
            (
                id(),
                of(one!(KeyFormatType, v)),
                of(one!(KeyWrapType, v)),
                of(one!(KeyCompressionType, v)),
                of(specification),
            )
                .prop_map(|fields| {
                    P::Get(GetRequest {
                        unique_identifier: fields.0,
                        key_format_type: fields.1,
                        key_wrap_type: fields.2,
                        key_compression_type: fields.3,
                        key_wrapping_specification: fields.4.map(Box::new),
                    })
                })
                .boxed()
        }
        Operation::GetAttributes => (id(), vec(text(), 0..4))
            .prop_map(|(unique_identifier, attribute_names)| {
                P::GetAttributes(GetAttributesRequest { unique_identifier, attribute_names })
            })
            .boxed(),
        Operation::GetAttributeList => id()
            .prop_map(|unique_identifier| P::GetAttributeList(GetAttributeListRequest { unique_identifier }))
            .boxed(),
        Operation::AddAttribute => (id(), attribute(v))
            .prop_map(|(unique_identifier, attribute)| {
                P::AddAttribute(AddAttributeRequest { unique_identifier, attribute })
            })
            .boxed(),
        Operation::ModifyAttribute => (id(), attribute(v))
            .prop_map(|(unique_identifier, attribute)| {
                P::ModifyAttribute(ModifyAttributeRequest { unique_identifier, attribute })
            })
            .boxed(),
        Operation::DeleteAttribute => (id(), text(), of(any::<i32>()))
            .prop_map(|(unique_identifier, attribute_name, attribute_index)| {
                P::DeleteAttribute(DeleteAttributeRequest { unique_identifier, attribute_name, attribute_index })
            })
            .boxed(),
        Operation::Locate => (
            of(any::<i32>()),
            of(any::<i32>()),
            of(any::<u32>().prop_map(StorageStatusMask)),
            of(one!(ObjectGroupMember, v)),
            attributes(v),
        )
            .prop_map(|fields| {
                P::Locate(LocateRequest {
                    maximum_items: fields.0,
                    offset_items: fields.1,
                    storage_status_mask: fields.2,
                    object_group_member: fields.3,
                    attributes: fields.4,
                })
            })
            .boxed(),
        Operation::Check => (id(), of(any::<i64>()), of(mask()), of(any::<u32>().prop_map(Interval)))
            .prop_map(|(unique_identifier, usage_limits_count, cryptographic_usage_mask, lease_time)| {
                P::Check(CheckRequest { unique_identifier, usage_limits_count, cryptographic_usage_mask, lease_time })
            })
            .boxed(),
        Operation::Activate => {
            id().prop_map(|unique_identifier| P::Activate(ActivateRequest { unique_identifier })).boxed()
        }
        Operation::Revoke => (id(), revocation_reason(v), of(date()))
            .prop_map(|(unique_identifier, revocation_reason, compromise_occurrence_date)| {
                P::Revoke(RevokeRequest { unique_identifier, revocation_reason, compromise_occurrence_date })
            })
            .boxed(),
        Operation::Destroy => {
            id().prop_map(|unique_identifier| P::Destroy(DestroyRequest { unique_identifier })).boxed()
        }
        other => panic!("no generator for the typed operation {other}"),
    }
}

/// The answer to an operation that `version` has, with values of `v`.
fn response_payload(version: ProtocolVersion, v: ProtocolVersion) -> BoxedStrategy<ResponsePayload> {
    let operations: Vec<_> = TYPED_OPERATIONS.iter().copied().filter(|operation| operation.known_in(version)).collect();
    select(operations).prop_flat_map(move |operation| response_of(operation, v)).boxed()
}

fn response_of(operation: Operation, v: ProtocolVersion) -> BoxedStrategy<ResponsePayload> {
    use ResponsePayload as P;
    match operation {
        Operation::DiscoverVersions => versions()
            .prop_map(|protocol_versions| P::DiscoverVersions(DiscoverVersionsResponse { protocol_versions }))
            .boxed(),
        Operation::Query => query_response(v).prop_map(P::Query).boxed(),
        Operation::Create => (one!(ObjectType, v), text(), of(template_attribute(v)))
            .prop_map(|(object_type, unique_identifier, template_attribute)| {
                P::Create(CreateResponse { object_type, unique_identifier, template_attribute })
            })
            .boxed(),
        Operation::Register => (text(), of(template_attribute(v)))
            .prop_map(|(unique_identifier, template_attribute)| {
                P::Register(RegisterResponse { unique_identifier, template_attribute })
            })
            .boxed(),
        Operation::Get => (one!(ObjectType, v), text(), object(v))
            .prop_map(|(object_type, unique_identifier, object)| {
                P::Get(GetResponse { object_type, unique_identifier, object })
            })
            .boxed(),
        Operation::GetAttributes => (text(), attributes(v))
            .prop_map(|(unique_identifier, attributes)| {
                P::GetAttributes(GetAttributesResponse { unique_identifier, attributes })
            })
            .boxed(),
        Operation::GetAttributeList => (text(), vec(text(), 0..4))
            .prop_map(|(unique_identifier, attribute_names)| {
                P::GetAttributeList(GetAttributeListResponse { unique_identifier, attribute_names })
            })
            .boxed(),
        Operation::AddAttribute => (text(), attribute(v))
            .prop_map(|(unique_identifier, attribute)| {
                P::AddAttribute(AddAttributeResponse { unique_identifier, attribute })
            })
            .boxed(),
        Operation::ModifyAttribute => (text(), attribute(v))
            .prop_map(|(unique_identifier, attribute)| {
                P::ModifyAttribute(ModifyAttributeResponse { unique_identifier, attribute })
            })
            .boxed(),
        Operation::DeleteAttribute => (text(), attribute(v))
            .prop_map(|(unique_identifier, attribute)| {
                P::DeleteAttribute(DeleteAttributeResponse { unique_identifier, attribute })
            })
            .boxed(),
        Operation::Locate => (of(any::<i32>()), vec(text(), 0..4))
            .prop_map(|(located_items, unique_identifiers)| {
                P::Locate(LocateResponse { located_items, unique_identifiers })
            })
            .boxed(),
        Operation::Check => check_response().prop_map(P::Check).boxed(),
        Operation::Activate => {
            text().prop_map(|unique_identifier| P::Activate(ActivateResponse { unique_identifier })).boxed()
        }
        Operation::Revoke => {
            text().prop_map(|unique_identifier| P::Revoke(RevokeResponse { unique_identifier })).boxed()
        }
        Operation::Destroy => {
            text().prop_map(|unique_identifier| P::Destroy(DestroyResponse { unique_identifier })).boxed()
        }
        other => panic!("no generator for the typed operation {other}"),
    }
}

fn check_response() -> BoxedStrategy<CheckResponse> {
    (id(), of(any::<i64>()), of(mask()), of(any::<u32>().prop_map(Interval)))
        .prop_map(|(unique_identifier, usage_limits_count, cryptographic_usage_mask, lease_time)| CheckResponse {
            unique_identifier,
            usage_limits_count,
            cryptographic_usage_mask,
            lease_time,
        })
        .boxed()
}

fn query_response(v: ProtocolVersion) -> BoxedStrategy<QueryResponse> {
    let extension = (text(), of(any::<i32>()), of(any::<i32>())).prop_map(|fields| ExtensionInformation {
        extension_name: fields.0,
        extension_tag: fields.1,
        extension_type: fields.2,
    });
    let profile = (one!(ProfileName, v), of(text()), of(any::<i32>())).prop_map(|fields| ProfileInformation {
        profile_name: fields.0,
        server_uri: fields.1,
        server_port: fields.2,
    });
    let validation = (
        (one!(ValidationAuthorityType, v), of(text()), of(text()), any::<i32>(), of(any::<i32>())),
        (one!(ValidationType, v), any::<i32>(), of(text()), of(text()), of(text()), vec(text(), 0..3)),
    )
        .prop_map(|(first, last)| ValidationInformation {
            validation_authority_type: first.0,
            validation_authority_country: first.1,
            validation_authority_uri: first.2,
            validation_version_major: first.3,
            validation_version_minor: first.4,
            validation_type: last.0,
            validation_level: last.1,
            validation_certificate_identifier: last.2,
            validation_certificate_uri: last.3,
            validation_vendor_uri: last.4,
            validation_profile: last.5,
        });
    let capability = (
        vec(of(any::<bool>()), 5),
        of(one!(UnwrapMode, v)),
        of(one!(DestroyAction, v)),
        of(one!(ShreddingAlgorithm, v)),
        of(one!(RngMode, v)),
    )
        .prop_map(|fields| CapabilityInformation {
            streaming_capability: fields.0[0],
            asynchronous_capability: fields.0[1],
            attestation_capability: fields.0[2],
            batch_undo_capability: fields.0[3],
            batch_continue_capability: fields.0[4],
            unwrap_mode: fields.1,
            destroy_action: fields.2,
            shredding_algorithm: fields.3,
            rng_mode: fields.4,
        });
    let first = (
        vec(one!(Operation, v), 0..4),
        vec(one!(ObjectType, v), 0..4),
        of(text()),
        of(vendor_structure(Tag::SERVER_INFORMATION)),
        vec(text(), 0..3),
        vec(extension, 0..2),
    );
    let last = (
        vec(one!(AttestationType, v), 0..3),
        vec(rng_parameters(v), 0..2),
        vec(profile, 0..2),
        vec(validation, 0..2),
        vec(capability, 0..2),
        vec(one!(ClientRegistrationMethod, v), 0..3),
    );
    (first, last)
        .prop_map(|(first, last)| QueryResponse {
            operations: first.0,
            object_types: first.1,
            vendor_identification: first.2,
            server_information: first.3,
            application_namespaces: first.4,
            extension_information: first.5,
            attestation_types: last.0,
            rng_parameters: last.1,
            profile_information: last.2,
            validation_information: last.3,
            capability_information: last.4,
            client_registration_methods: last.5,
        })
        .boxed()
}

fn nonce() -> BoxedStrategy<Nonce> {
    (bytes(), bytes()).prop_map(|(nonce_id, nonce_value)| Nonce { nonce_id, nonce_value }).boxed()
}

fn credential(v: ProtocolVersion) -> BoxedStrategy<Credential> {
    let named = (text(), of(password()))
        .prop_map(|(username, password)| Credential::UsernameAndPassword { username, password })
        .boxed();
    let device = (of(password()), vec(of(text()), 5)).prop_map(|(password, texts)| {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().unwrap();
        Credential::Device(DeviceCredential {
            device_serial_number: next(),
            password: password.map(|password| Password::new(password).unwrap()),
            device_identifier: next(),
            network_identifier: next(),
            machine_identifier: next(),
            media_identifier: next(),
        })
    });
    let attestation = (nonce(), one!(AttestationType, ProtocolVersion::EVERY), of(bytes()), of(bytes())).prop_map(
        |(nonce, attestation_type, attestation_measurement, attestation_assertion)| {
            Credential::Attestation(AttestationCredential {
                nonce,
                attestation_type,
                attestation_measurement,
                attestation_assertion,
            })
        },
    );
    // Each only where the version knows it: a header with another cannot be written at all.
    let mut kinds = vec![named];
    if CredentialType::Device.known_in(v) {
        kinds.push(device.boxed());
    }
    if CredentialType::Attestation.known_in(v) {
        kinds.push(attestation.boxed());
    }
    proptest::strategy::Union::new(kinds).boxed()
}

fn message_extension() -> BoxedStrategy<MessageExtension> {
    (text(), any::<bool>(), vendor_structure(Tag::VENDOR_EXTENSION))
        .prop_map(|(vendor_identification, criticality_indicator, vendor_extension)| MessageExtension {
            vendor_identification,
            criticality_indicator,
            vendor_extension,
        })
        .boxed()
}

/// A request in `version` with values of `v`.
pub fn request(version: ProtocolVersion, v: ProtocolVersion) -> BoxedStrategy<RequestMessage> {
    let header = (
        (of(any::<i32>()), of(text()), of(text()), of(any::<bool>()), of(any::<bool>())),
        (
            vec(one!(AttestationType, v), 0..3),
            vec(credential(version), 0..3),
            of(one!(BatchErrorContinuationOption, v)),
            of(any::<bool>()),
            of(date()),
        ),
    );
    let item = (request_payload(v), of(bytes()), of(message_extension())).prop_map(|(payload, mark, extension)| {
        RequestItem { unique_batch_item_id: mark, message_extension: extension, ..RequestItem::new(payload) }
    });
    (header, vec(item, 1..4))
        .prop_map(move |((first, last), items)| RequestMessage {
            header: RequestHeader {
                version,
                maximum_response_size: first.0,
                client_correlation_value: first.1,
                server_correlation_value: first.2,
                asynchronous: first.3,
                attestation_capable: first.4,
                attestation_types: last.0,
                authentication: last.1,
                batch_error_continuation: last.2,
                batch_order: last.3,
                time_stamp: last.4,
                batch_count: i32::try_from(items.len()).unwrap(),
            },
            items,
        })
        .boxed()
}

/// A response in `version` with values of `v`.
pub fn response(version: ProtocolVersion, v: ProtocolVersion) -> BoxedStrategy<ResponseMessage> {
    let header = (date(), of(nonce()), vec(one!(AttestationType, v), 0..3), of(text()), of(text()));
    let success = response_payload(version, v).prop_map(|payload| ResponseItem::success(None, payload));
    let failure =
        (of(one!(Operation, version)), one!(ResultReason, v), text()).prop_map(|(operation, reason, message)| {
            ResponseItem::failure(operation.map(Operation::value), None, reason, message)
        });
    let check = (one!(ResultReason, v), text(), check_response()).prop_map(|(reason, message, payload)| ResponseItem {
        operation: Some(Operation::Check.value()),
        unique_batch_item_id: None,
        outcome: Outcome::CheckFailed { reason, message, payload },
    });
    let other = (one!(Operation, version), of(bytes())).prop_map(|(operation, pending)| ResponseItem {
        operation: Some(operation.value()),
        unique_batch_item_id: None,
        outcome: pending.map_or(Outcome::Undone, |correlation_value| Outcome::Pending { correlation_value }),
    });
    let item = (prop_oneof![6 => success, 2 => failure, 1 => check, 1 => other], of(bytes()))
        .prop_map(|(item, unique_batch_item_id)| ResponseItem { unique_batch_item_id, ..item });
    (header, vec(item, 1..4))
        .prop_map(move |(header, items)| ResponseMessage {
            header: ResponseHeader {
                version,
                time_stamp: header.0,
                nonce: header.1,
                attestation_types: header.2,
                client_correlation_value: header.3,
                server_correlation_value: header.4,
                batch_count: i32::try_from(items.len()).unwrap(),
            },
            items,
        })
        .boxed()
}
