//! Operations that make objects from others, bring them in, or take them out.

use kmip::ProtocolVersion;
use kmip::attribute::{ProtectionStorageMasks, TemplateAttribute};
use kmip::object::KeyWrappingSpecification;
use kmip::payload::*;
use kmip::registry::*;
use kmip::ttlv::{BigInteger, Interval};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::objects::*;
use super::payloads_common::*;
use super::values::*;

fn masks(v: ProtocolVersion) -> BoxedStrategy<Option<ProtectionStorageMasks>> {
    since(v, ProtocolVersion::V2_0, storage_masks())
}

fn boxed_masks(v: ProtocolVersion) -> BoxedStrategy<Option<Box<ProtectionStorageMasks>>> {
    masks(v).prop_map(|masks| masks.map(Box::new)).boxed()
}

/// Attributes that the server set: in answers up to 1.4.
fn answered(v: ProtocolVersion) -> BoxedStrategy<Option<TemplateAttribute>> {
    within(v, ProtocolVersion::V1_0, ProtocolVersion::V1_4, template_attribute(v))
}

fn offset() -> BoxedStrategy<Option<Interval>> {
    of(any::<u32>().prop_map(Interval)).boxed()
}

fn derivation_parameters(v: ProtocolVersion) -> BoxedStrategy<DerivationParameters> {
    let most = if v < ProtocolVersion::V2_0 { 1 } else { 3 };
    let iv = of(bytes());
    (of(cryptographic_parameters(v)), iv, vec(secret(), 0..=most), of(bytes()), of(any::<i32>()))
        .prop_map(|(parameters, initialization_vector, derivation_data, salt, iteration_count)| DerivationParameters {
            cryptographic_parameters: parameters.map(Box::new),
            initialization_vector,
            derivation_data,
            salt,
            iteration_count,
        })
        .boxed()
}

fn key_wrapping_specification(v: ProtocolVersion) -> BoxedStrategy<KeyWrappingSpecification> {
    let keys = (of(encryption_key_information(v)), of(mac_key_information(v)));
    (one!(WrappingMethod, v), keys, vec(attribute_name(v), 0..3), of(one!(EncodingOption, v)))
        .prop_map(|(wrapping_method, keys, attribute_names, encoding_option)| KeyWrappingSpecification {
            wrapping_method,
            encryption_key_information: keys.0,
            mac_signature_key_information: keys.1,
            attribute_names,
            encoding_option,
        })
        .boxed()
}

pub(super) fn request_of(operation: Operation, v: ProtocolVersion) -> Option<BoxedStrategy<RequestPayload>> {
    use RequestPayload as P;
    let template = of(template_attribute(v));
    let pair = (
        (of(template_attribute(v)), of(template_attribute(v)), of(template_attribute(v))),
        (boxed_masks(v), boxed_masks(v), boxed_masks(v)),
    );
    let request = (of(one!(CertificateRequestType, v)), of(bytes()));
    Some(match operation {
        Operation::CreateKeyPair => pair
            .prop_map(|(attributes, masks)| {
                P::CreateKeyPair(CreateKeyPairRequest {
                    common_attributes: attributes.0,
                    private_key_attributes: attributes.1,
                    public_key_attributes: attributes.2,
                    common_protection_storage_masks: masks.0,
                    private_protection_storage_masks: masks.1,
                    public_protection_storage_masks: masks.2,
                })
            })
            .boxed(),
        Operation::ReKey => (id(v), offset(), template, masks(v))
            .prop_map(|(unique_identifier, offset, template_attribute, protection_storage_masks)| {
                P::ReKey(ReKeyRequest { unique_identifier, offset, template_attribute, protection_storage_masks })
            })
            .boxed(),
        Operation::ReKeyKeyPair => (id(v), offset(), pair)
            .prop_map(|(private_key_unique_identifier, offset, (attributes, masks))| {
                P::ReKeyKeyPair(ReKeyKeyPairRequest {
                    private_key_unique_identifier,
                    offset,
                    common_attributes: attributes.0,
                    private_key_attributes: attributes.1,
                    public_key_attributes: attributes.2,
                    common_protection_storage_masks: masks.0,
                    private_protection_storage_masks: masks.1,
                    public_protection_storage_masks: masks.2,
                })
            })
            .boxed(),
        Operation::DeriveKey => (
            one!(ObjectType, v),
            vec(identifier(v), 1..4),
            one!(DerivationMethod, v),
            derivation_parameters(v),
            template_attribute(v),
        )
            .prop_map(|fields| {
                P::DeriveKey(DeriveKeyRequest {
                    object_type: fields.0,
                    unique_identifiers: fields.1,
                    derivation_method: fields.2,
                    derivation_parameters: fields.3,
                    template_attribute: fields.4,
                })
            })
            .boxed(),
        Operation::Certify => (id(v), request, template, masks(v))
            .prop_map(|(unique_identifier, request, template_attribute, protection_storage_masks)| {
                P::Certify(CertifyRequest {
                    unique_identifier,
                    certificate_request_type: request.0,
                    certificate_request: request.1,
                    template_attribute,
                    protection_storage_masks,
                })
            })
            .boxed(),
        Operation::ReCertify => {
            let held = since(v, ProtocolVersion::V2_0, identifier(v));
            (id(v), held, request, offset(), template, masks(v))
                .prop_map(|(unique_identifier, held, request, offset, template_attribute, masks)| {
                    P::ReCertify(ReCertifyRequest {
                        unique_identifier,
                        certificate_request_unique_identifier: held,
                        certificate_request_type: request.0,
                        certificate_request: request.1,
                        offset,
                        template_attribute,
                        protection_storage_masks: masks,
                    })
                })
                .boxed()
        }
        Operation::CreateSplitKey => {
            // Padded as they come from the wire, so that they come back equal.
            let prime = vec(any::<u64>(), 1..3)
                .prop_map(|words| BigInteger(words.iter().flat_map(|word| word.to_be_bytes()).collect()));
            (
                (one!(ObjectType, v), id(v), any::<i32>(), any::<i32>()),
                (one!(SplitKeyMethod, v), of(prime), template_attribute(v), masks(v)),
            )
                .prop_map(|(first, last)| {
                    P::CreateSplitKey(CreateSplitKeyRequest {
                        object_type: first.0,
                        unique_identifier: first.1,
                        split_key_parts: first.2,
                        split_key_threshold: first.3,
                        split_key_method: last.0,
                        prime_field_size: last.1,
                        template_attribute: last.2,
                        protection_storage_masks: last.3,
                    })
                })
                .boxed()
        }
        Operation::JoinSplitKey => {
            (one!(ObjectType, v), vec(identifier(v), 1..4), of(one!(SecretDataType, v)), template, masks(v))
                .prop_map(|fields| {
                    P::JoinSplitKey(JoinSplitKeyRequest {
                        object_type: fields.0,
                        unique_identifiers: fields.1,
                        secret_data_type: fields.2,
                        template_attribute: fields.3,
                        protection_storage_masks: fields.4,
                    })
                })
                .boxed()
        }
        Operation::Export => (
            id(v),
            of(one!(KeyFormatType, v)),
            of(one!(KeyWrapType, v)),
            of(one!(KeyCompressionType, v)),
            of(key_wrapping_specification(v).prop_map(Box::new)),
        )
            .prop_map(|fields| {
                P::Export(ExportRequest {
                    unique_identifier: fields.0,
                    key_format_type: fields.1,
                    key_wrap_type: fields.2,
                    key_compression_type: fields.3,
                    key_wrapping_specification: fields.4,
                })
            })
            .boxed(),
        Operation::Import => (
            text(),
            since(v, ProtocolVersion::V2_0, one!(ObjectType, v)),
            of(any::<bool>()),
            of(one!(KeyWrapType, v)),
            attributes(v),
            object(v),
        )
            .prop_map(|fields| {
                P::Import(ImportRequest {
                    unique_identifier: fields.0,
                    object_type: fields.1,
                    replace_existing: fields.2,
                    key_wrap_type: fields.3,
                    attributes: fields.4,
                    object: fields.5,
                })
            })
            .boxed(),
        _ => return None,
    })
}

pub(super) fn response_of(operation: Operation, v: ProtocolVersion) -> Option<BoxedStrategy<ResponsePayload>> {
    use ResponsePayload as P;
    let one = (text(), answered(v));
    let pair = (text(), text(), answered(v), answered(v));
    // In the tables of 1.2 alone.
    let object_type = within(v, ProtocolVersion::V1_2, ProtocolVersion::V1_2, one!(ObjectType, v));
    Some(match operation {
        Operation::CreateKeyPair => pair
            .prop_map(|fields| {
                P::CreateKeyPair(CreateKeyPairResponse {
                    private_key_unique_identifier: fields.0,
                    public_key_unique_identifier: fields.1,
                    private_key_template_attribute: fields.2,
                    public_key_template_attribute: fields.3,
                })
            })
            .boxed(),
        Operation::ReKeyKeyPair => pair
            .prop_map(|fields| {
                P::ReKeyKeyPair(ReKeyKeyPairResponse {
                    private_key_unique_identifier: fields.0,
                    public_key_unique_identifier: fields.1,
                    private_key_template_attribute: fields.2,
                    public_key_template_attribute: fields.3,
                })
            })
            .boxed(),
        Operation::ReKey => one
            .prop_map(|(unique_identifier, template_attribute)| {
                P::ReKey(ReKeyResponse { unique_identifier, template_attribute })
            })
            .boxed(),
        Operation::DeriveKey => one
            .prop_map(|(unique_identifier, template_attribute)| {
                P::DeriveKey(DeriveKeyResponse { unique_identifier, template_attribute })
            })
            .boxed(),
        Operation::Certify => one
            .prop_map(|(unique_identifier, template_attribute)| {
                P::Certify(CertifyResponse { unique_identifier, template_attribute })
            })
            .boxed(),
        Operation::ReCertify => one
            .prop_map(|(unique_identifier, template_attribute)| {
                P::ReCertify(ReCertifyResponse { unique_identifier, template_attribute })
            })
            .boxed(),
        Operation::CreateSplitKey => (object_type, vec(text(), 1..4), answered(v))
            .prop_map(|(object_type, unique_identifiers, template_attribute)| {
                P::CreateSplitKey(CreateSplitKeyResponse { object_type, unique_identifiers, template_attribute })
            })
            .boxed(),
        Operation::JoinSplitKey => (object_type, one)
            .prop_map(|(object_type, (unique_identifier, template_attribute))| {
                P::JoinSplitKey(JoinSplitKeyResponse { object_type, unique_identifier, template_attribute })
            })
            .boxed(),
        Operation::Export => (one!(ObjectType, v), text(), attributes(v), object(v))
            .prop_map(|(object_type, unique_identifier, attributes, object)| {
                P::Export(ExportResponse { object_type, unique_identifier, attributes, object })
            })
            .boxed(),
        Operation::Import => {
            text().prop_map(|unique_identifier| P::Import(ImportResponse { unique_identifier })).boxed()
        }
        _ => return None,
    })
}
