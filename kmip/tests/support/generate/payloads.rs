//! What each operation asks and answers.

use kmip::ProtocolVersion;
use kmip::object::*;
use kmip::payload::*;
use kmip::registry::*;
use kmip::ttlv::{Interval, Wire};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::objects::*;
use super::payloads_common::{since, within};
use super::query;
use super::values::*;
use super::{payloads_crypto, payloads_keys, payloads_service};

pub(super) fn versions() -> BoxedStrategy<Vec<ProtocolVersion>> {
    vec((any::<i32>(), any::<i32>()).prop_map(|(major, minor)| ProtocolVersion { major, minor }), 0..4).boxed()
}

/// A field that 1.x requires and 2.0 dropped.
pub(super) fn until_1_4<T: std::fmt::Debug + Clone + 'static>(
    v: ProtocolVersion,
    value: BoxedStrategy<T>,
) -> BoxedStrategy<Option<T>> {
    if v.is_2_x() { Just(None).boxed() } else { value.prop_map(Some).boxed() }
}

/// A payload of any operation. Without a wildcard arm, as above.
pub fn request_payload(v: ProtocolVersion) -> BoxedStrategy<RequestPayload> {
    let operations: Vec<_> = TYPED_OPERATIONS.iter().copied().filter(|operation| operation.known_in(v)).collect();
    select(operations).prop_flat_map(move |operation| request_of(operation, v)).boxed()
}

pub fn request_of(operation: Operation, v: ProtocolVersion) -> BoxedStrategy<RequestPayload> {
    use RequestPayload as P;
    match operation {
        Operation::DiscoverVersions => versions()
            .prop_map(|protocol_versions| P::DiscoverVersions(DiscoverVersionsRequest { protocol_versions }))
            .boxed(),
        Operation::Query => query::request(v).prop_map(P::Query).boxed(),
        Operation::Create => {
            (one!(ObjectType, v), template_attribute(v), since(v, ProtocolVersion::V2_0, storage_masks()))
                .prop_map(|(object_type, template_attribute, protection_storage_masks)| {
                    P::Create(CreateRequest { object_type, template_attribute, protection_storage_masks })
                })
                .boxed()
        }
        Operation::Register => {
            (one!(ObjectType, v), template_attribute(v), object(v), since(v, ProtocolVersion::V2_0, storage_masks()))
                .prop_map(|(object_type, template_attribute, object, protection_storage_masks)| {
                    P::Register(RegisterRequest { object_type, template_attribute, object, protection_storage_masks })
                })
                .boxed()
        }
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
                id(v),
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
        Operation::GetAttributes => (id(v), attribute_names(v))
            .prop_map(|(unique_identifier, attribute_names)| {
                P::GetAttributes(GetAttributesRequest { unique_identifier, attribute_names })
            })
            .boxed(),
        Operation::GetAttributeList => id(v)
            .prop_map(|unique_identifier| P::GetAttributeList(GetAttributeListRequest { unique_identifier }))
            .boxed(),
        Operation::AddAttribute => (id(v), attribute(v))
            .prop_map(|(unique_identifier, attribute)| {
                P::AddAttribute(AddAttributeRequest { unique_identifier, attribute })
            })
            .boxed(),
        Operation::ModifyAttribute => (id(v), since(v, ProtocolVersion::V2_0, attribute(v)), attribute(v))
            .prop_map(|(unique_identifier, current_attribute, attribute)| {
                P::ModifyAttribute(ModifyAttributeRequest { unique_identifier, current_attribute, attribute })
            })
            .boxed(),
        Operation::DeleteAttribute => {
            let name = (attribute_name(v), if v.is_2_x() { Just(None).boxed() } else { of(any::<i32>()).boxed() })
                .prop_map(|(name, index)| (name, index, None));
            let value = attribute(v).prop_map(|current| (current.name().to_owned(), None, Some(current)));
            let which = if v >= ProtocolVersion::V2_0 { prop_oneof![name, value].boxed() } else { name.boxed() };
            (id(v), which)
                .prop_map(|(unique_identifier, (attribute_name, attribute_index, current_attribute))| {
                    P::DeleteAttribute(DeleteAttributeRequest {
                        unique_identifier,
                        attribute_name,
                        attribute_index,
                        current_attribute,
                    })
                })
                .boxed()
        }
        Operation::Locate => (
            of(any::<i32>()),
            of(any::<i32>()),
            of(any::<u32>().prop_map(move |bits| StorageStatusMask(StorageStatusMask::TABLE.mask_in(bits, v)))),
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
        Operation::Check => (id(v), of(any::<i64>()), of(mask(v)), of(any::<u32>().prop_map(Interval)))
            .prop_map(|(unique_identifier, usage_limits_count, cryptographic_usage_mask, lease_time)| {
                P::Check(CheckRequest { unique_identifier, usage_limits_count, cryptographic_usage_mask, lease_time })
            })
            .boxed(),
        Operation::Activate => {
            id(v).prop_map(|unique_identifier| P::Activate(ActivateRequest { unique_identifier })).boxed()
        }
        Operation::Revoke => (id(v), revocation_reason(v), of(date()))
            .prop_map(|(unique_identifier, revocation_reason, compromise_occurrence_date)| {
                P::Revoke(RevokeRequest { unique_identifier, revocation_reason, compromise_occurrence_date })
            })
            .boxed(),
        Operation::Destroy => {
            id(v).prop_map(|unique_identifier| P::Destroy(DestroyRequest { unique_identifier })).boxed()
        }
        other => payloads_crypto::request_of(other, v)
            .or_else(|| payloads_keys::request_of(other, v))
            .or_else(|| payloads_service::request_of(other, v))
            .unwrap_or_else(|| panic!("no generator for the typed operation {other}")),
    }
}

/// The answer to an operation that `version` has, with values of `v`.
pub(super) fn response_payload(version: ProtocolVersion, v: ProtocolVersion) -> BoxedStrategy<ResponsePayload> {
    // Poll has no answer of its own.
    let answered = |operation: &Operation| operation.known_in(version) && *operation != Operation::Poll;
    let operations: Vec<_> = TYPED_OPERATIONS.iter().copied().filter(answered).collect();
    select(operations).prop_flat_map(move |operation| response_of(operation, v)).boxed()
}

pub fn response_of(operation: Operation, v: ProtocolVersion) -> BoxedStrategy<ResponsePayload> {
    use ResponsePayload as P;
    match operation {
        Operation::DiscoverVersions => versions()
            .prop_map(|protocol_versions| P::DiscoverVersions(DiscoverVersionsResponse { protocol_versions }))
            .boxed(),
        Operation::Query => query::response(v).prop_map(P::Query).boxed(),
        Operation::Create => (
            one!(ObjectType, v),
            text(),
            within(v, ProtocolVersion::V1_0, ProtocolVersion::V1_4, template_attribute(v)),
        )
            .prop_map(|(object_type, unique_identifier, template_attribute)| {
                P::Create(CreateResponse { object_type, unique_identifier, template_attribute })
            })
            .boxed(),
        Operation::Register => (text(), within(v, ProtocolVersion::V1_0, ProtocolVersion::V1_4, template_attribute(v)))
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
        Operation::GetAttributeList => (text(), attribute_names(v))
            .prop_map(|(unique_identifier, attribute_names)| {
                P::GetAttributeList(GetAttributeListResponse { unique_identifier, attribute_names })
            })
            .boxed(),
        Operation::AddAttribute => (text(), until_1_4(v, attribute(v)))
            .prop_map(|(unique_identifier, attribute)| {
                P::AddAttribute(AddAttributeResponse { unique_identifier, attribute })
            })
            .boxed(),
        Operation::ModifyAttribute => (text(), until_1_4(v, attribute(v)))
            .prop_map(|(unique_identifier, attribute)| {
                P::ModifyAttribute(ModifyAttributeResponse { unique_identifier, attribute })
            })
            .boxed(),
        Operation::DeleteAttribute => (text(), until_1_4(v, attribute(v)))
            .prop_map(|(unique_identifier, attribute)| {
                P::DeleteAttribute(DeleteAttributeResponse { unique_identifier, attribute })
            })
            .boxed(),
        Operation::Locate => (of(any::<i32>()), vec(text(), 0..4))
            .prop_map(|(located_items, unique_identifiers)| {
                P::Locate(LocateResponse { located_items, unique_identifiers })
            })
            .boxed(),
        Operation::Check => check_response(v).prop_map(P::Check).boxed(),
        Operation::Activate => {
            text().prop_map(|unique_identifier| P::Activate(ActivateResponse { unique_identifier })).boxed()
        }
        Operation::Revoke => {
            text().prop_map(|unique_identifier| P::Revoke(RevokeResponse { unique_identifier })).boxed()
        }
        Operation::Destroy => {
            text().prop_map(|unique_identifier| P::Destroy(DestroyResponse { unique_identifier })).boxed()
        }
        other => payloads_crypto::response_of(other, v)
            .or_else(|| payloads_keys::response_of(other, v))
            .or_else(|| payloads_service::response_of(other, v))
            .unwrap_or_else(|| panic!("no generator for the typed operation {other}")),
    }
}

pub(super) fn check_response(v: ProtocolVersion) -> BoxedStrategy<CheckResponse> {
    (of(text()), of(any::<i64>()), of(mask(v)), of(any::<u32>().prop_map(Interval)))
        .prop_map(|(unique_identifier, usage_limits_count, cryptographic_usage_mask, lease_time)| CheckResponse {
            unique_identifier,
            usage_limits_count,
            cryptographic_usage_mask,
            lease_time,
        })
        .boxed()
}
