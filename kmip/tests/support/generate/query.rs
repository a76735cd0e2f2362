//! What Query asks and answers.

use kmip::payload::*;
use kmip::registry::*;
use kmip::{ProtocolVersion, Tag};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::payloads_common::since;
use super::payloads_service::{defaults, object_groups};
use super::values::*;

pub(super) fn request(v: ProtocolVersion) -> BoxedStrategy<QueryRequest> {
    let groups = since(v, ProtocolVersion::V2_1, object_groups());
    // At least one question that the oldest version knows: the field has to be there.
    (Just(QueryFunction::QueryOperations), vec(one!(QueryFunction, v), 0..4), groups)
        .prop_map(|(first, rest, object_groups)| QueryRequest {
            functions: std::iter::once(first).chain(rest).collect(),
            object_groups,
        })
        .boxed()
}

fn server_information(v: ProtocolVersion) -> BoxedStrategy<ServerInformation> {
    let endpoints = if v >= ProtocolVersion::V2_0 { 0..3 } else { 0..1 };
    let texts = vec(since(v, ProtocolVersion::V2_0, text()), 8);
    (texts, vec(text(), endpoints), vec(owned(Tag(0x54_0003)), 0..3))
        .prop_map(|(texts, alternate_failover_endpoints, vendor_specific)| {
            let mut texts = texts.into_iter();
            let mut next = || texts.next().unwrap();
            ServerInformation {
                server_name: next(),
                server_serial_number: next(),
                server_version: next(),
                server_load: next(),
                product_name: next(),
                build_level: next(),
                build_date: next(),
                cluster_info: next(),
                alternate_failover_endpoints,
                vendor_specific,
            }
        })
        .boxed()
}

pub(super) fn response(v: ProtocolVersion) -> BoxedStrategy<QueryResponse> {
    let number = || any::<i32>().boxed();
    let extension = (
        (text(), of(number()), of(number())),
        since(v, ProtocolVersion::V2_0, number()),
        since(v, ProtocolVersion::V2_0, any::<bool>().boxed()),
        since(v, ProtocolVersion::V2_0, number()),
        since(v, ProtocolVersion::V2_0, text()),
    )
        .prop_map(|(first, enumeration, attribute, parent, description)| ExtensionInformation {
            extension_name: first.0,
            extension_tag: first.1,
            extension_type: first.2,
            extension_enumeration: enumeration,
            extension_attribute: attribute,
            extension_parent_structure_tag: parent,
            extension_description: description,
        });
    let profile_version = (number(), number()).prop_map(|(major, minor)| ProfileVersion { major, minor }).boxed();
    let profile =
        (one!(ProfileName, v), since(v, ProtocolVersion::V2_0, profile_version), of(text()), of(any::<i32>()))
            .prop_map(|(profile_name, profile_version, server_uri, server_port)| ProfileInformation {
                profile_name,
                profile_version,
                server_uri,
                server_port,
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
        since(v, ProtocolVersion::V2_0, any::<bool>().boxed()),
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
            quantum_safe_capability: fields.5,
        });
    let first = (
        vec(one!(Operation, v), 0..4),
        vec(one!(ObjectType, v), 0..4),
        of(text()),
        of(server_information(v).prop_map(Box::new)),
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
        since(v, ProtocolVersion::V2_0, defaults(v)),
        since(v, ProtocolVersion::V2_0, storage_masks()),
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
            defaults_information: last.6,
            protection_storage_masks: last.7,
        })
        .boxed()
}
