//! Whole messages: headers, credentials, batches.

use kmip::ProtocolVersion;
use kmip::Tag;
use kmip::message::*;
use kmip::registry::*;
use kmip::ttlv::Wire;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::payloads::*;
use super::values::*;

pub(super) fn nonce() -> BoxedStrategy<Nonce> {
    (bytes(), bytes()).prop_map(|(nonce_id, nonce_value)| Nonce { nonce_id, nonce_value }).boxed()
}

pub(super) fn credential(v: ProtocolVersion) -> BoxedStrategy<Credential> {
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

pub(super) fn message_extension() -> BoxedStrategy<MessageExtension> {
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
