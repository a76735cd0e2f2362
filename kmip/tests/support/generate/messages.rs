//! Whole messages: headers, credentials, batches.

use kmip::ProtocolVersion;
use kmip::Tag;
use kmip::message::*;
use kmip::payload::Ticket;
use kmip::registry::*;
use kmip::ttlv::{DateTimeExtended, Wire};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::payloads::*;
use super::payloads_common::since;
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
    let one_time = (text(), of(password()), password()).prop_map(|(username, password, one_time_password)| {
        Credential::OneTimePassword(OneTimePasswordCredential {
            username,
            password: password.map(|password| Password::new(password).unwrap()),
            one_time_password: Password::new(one_time_password).unwrap(),
        })
    });
    let hashed = (text(), any::<i64>(), of(one!(HashingAlgorithm, v)), secret()).prop_map(
        |(username, timestamp, hashing_algorithm, hashed_password)| {
            Credential::HashedPassword(HashedPasswordCredential {
                username,
                timestamp: DateTimeExtended(timestamp),
                hashing_algorithm,
                hashed_password,
            })
        },
    );
    let ticket = (one!(TicketType, ProtocolVersion::EVERY), secret()).prop_map(|(ticket_type, ticket_value)| {
        Credential::Ticket(TicketCredential { ticket: Ticket { ticket_type, ticket_value } })
    });
    // Each only where the version knows it: a header with another cannot be written at all.
    let mut kinds = vec![named];
    if CredentialType::Device.known_in(v) {
        kinds.push(device.boxed());
    }
    if CredentialType::Attestation.known_in(v) {
        kinds.push(attestation.boxed());
    }
    if v.is_2_x() {
        kinds.extend([one_time.boxed(), hashed.boxed(), ticket.boxed()]);
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

/// 1.x cannot demand an asynchronous answer.
fn asynchronous(v: ProtocolVersion) -> BoxedStrategy<AsynchronousIndicator> {
    let all = [AsynchronousIndicator::Optional, AsynchronousIndicator::Prohibited, AsynchronousIndicator::Mandatory];
    select(all[..if v.is_2_x() { 3 } else { 2 }].to_vec()).boxed()
}

/// A request in `version` with values of `v`.
pub fn request(version: ProtocolVersion, v: ProtocolVersion) -> BoxedStrategy<RequestMessage> {
    let header = (
        (of(any::<i32>()), of(text()), of(text()), of(asynchronous(version)), of(any::<bool>())),
        (
            vec(one!(AttestationType, v), 0..3),
            vec(credential(version), 0..3),
            of(one!(BatchErrorContinuationOption, v)),
            of(any::<bool>()),
            of(date()),
        ),
    );
    // 1.x has at most one extension, and no Ephemeral.
    let (extensions, ephemeral) =
        if version.is_2_x() { (0..3, of(any::<bool>()).boxed()) } else { (0..2, Just(None).boxed()) };
    let around = (of(bytes()), vec(message_extension(), extensions), ephemeral);
    let item = (request_payload(v), around).prop_map(|(payload, (mark, extensions, ephemeral))| RequestItem {
        ephemeral,
        unique_batch_item_id: mark,
        message_extensions: extensions,
        ..RequestItem::new(payload)
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
    let header = (
        date(),
        of(nonce()),
        vec(one!(AttestationType, v), 0..3),
        of(text()),
        of(text()),
        since(v, ProtocolVersion::V2_0, vec(any::<u8>(), 32).boxed()),
    );
    let success = response_payload(version, v).prop_map(|payload| ResponseItem::success(None, payload));
    let failure =
        (of(one!(Operation, version)), one!(ResultReason, v), text()).prop_map(|(operation, reason, message)| {
            ResponseItem::failure(operation.map(Operation::value), None, reason, message)
        });
    let check =
        (one!(ResultReason, v), text(), check_response(v)).prop_map(|(reason, message, payload)| ResponseItem {
            operation: Some(Operation::Check.value()),
            unique_batch_item_id: None,
            outcome: Outcome::CheckFailed { reason, message, payload },
        });
    let undone = of(response_payload(version, v)).prop_map(|payload| ResponseItem {
        operation: payload.as_ref().map(|payload| payload.operation().value()),
        unique_batch_item_id: None,
        outcome: Outcome::Undone(payload),
    });
    let pending = (one!(Operation, version), bytes()).prop_map(|(operation, value)| ResponseItem {
        operation: Some(operation.value()),
        unique_batch_item_id: None,
        outcome: Outcome::Pending { asynchronous_correlation_value: value },
    });
    let other = prop_oneof![undone, pending];
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
                server_hashed_password: header.5,
                batch_count: i32::try_from(items.len()).unwrap(),
            },
            items,
        })
        .boxed()
}
