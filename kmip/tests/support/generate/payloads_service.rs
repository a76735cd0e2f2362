//! Operations about what exists already, and about the server itself.

use kmip::ProtocolVersion;
use kmip::Tag;
use kmip::attribute::UsageLimits;
use kmip::object::{Certificate, CertificateRequest};
use kmip::payload::*;
use kmip::registry::*;
use kmip::ttlv::{DateTimeExtended, Interval, OwnedItem};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::objects::*;
use super::payloads_common::*;
use super::values::*;

fn usage_limits(v: ProtocolVersion) -> BoxedStrategy<UsageLimits> {
    (of(any::<i64>()), of(any::<i64>()), of(one!(UsageLimitsUnit, v)))
        .prop_map(|(total, count, unit)| UsageLimits { total, count, unit })
        .boxed()
}

fn lifetime() -> BoxedStrategy<TicketLifetime> {
    prop_oneof![
        any::<u32>().prop_map(|seconds| TicketLifetime::For(Interval(seconds))),
        date().prop_map(TicketLifetime::Until),
    ]
    .boxed()
}

fn ticket(v: ProtocolVersion) -> BoxedStrategy<Ticket> {
    (one!(TicketType, v), secret()).prop_map(|(ticket_type, ticket_value)| Ticket { ticket_type, ticket_value }).boxed()
}

fn operations(v: ProtocolVersion) -> BoxedStrategy<Operations> {
    vec(one!(Operation, v), 0..4).prop_map(|operations| Operations { operations }).boxed()
}

pub(super) fn object_groups() -> BoxedStrategy<ObjectGroups> {
    vec(text(), 0..3).prop_map(|object_groups| ObjectGroups { object_groups }).boxed()
}

fn object_types(v: ProtocolVersion) -> BoxedStrategy<ObjectTypes> {
    vec(one!(ObjectType, v), 0..3).prop_map(|object_types| ObjectTypes { object_types }).boxed()
}

fn right(v: ProtocolVersion) -> BoxedStrategy<Right> {
    let objects = vec(identifier(v), 0..3).prop_map(|unique_identifiers| Objects { unique_identifiers });
    (of(usage_limits(v)), of(operations(v)), of(objects), since(v, ProtocolVersion::V2_1, object_groups()))
        .prop_map(|(usage_limits, operations, objects, object_groups)| Right {
            usage_limits: usage_limits.map(Box::new),
            operations: operations.map(Box::new),
            objects: objects.map(Box::new),
            object_groups: object_groups.map(Box::new),
        })
        .boxed()
}

fn constraints(v: ProtocolVersion) -> BoxedStrategy<Constraints> {
    let constraint = (of(object_types(v)), of(object_groups()), of(attributes(v))).prop_map(
        |(object_types, object_groups, attributes)| Constraint {
            object_types: object_types.map(Box::new),
            object_groups: object_groups.map(Box::new),
            attributes: attributes.map(|attributes| Box::new(AttributeSet { attributes })),
        },
    );
    vec(constraint, 0..3).prop_map(|constraints| Constraints { constraints }).boxed()
}

pub(super) fn defaults(v: ProtocolVersion) -> BoxedStrategy<DefaultsInformation> {
    let one = one!(ObjectType, v).prop_map(DefaultsFor::One);
    let types = if v < ProtocolVersion::V2_1 {
        one.boxed()
    } else {
        prop_oneof![one, object_types(v).prop_map(DefaultsFor::Several)].boxed()
    };
    let defaults = (types, of(attributes(v)), since(v, ProtocolVersion::V2_1, object_groups())).prop_map(
        |(object_types, attributes, object_groups)| ObjectDefaults {
            object_types,
            attributes: attributes.map(|attributes| Box::new(AttributeSet { attributes })),
            object_groups: object_groups.map(Box::new),
        },
    );
    vec(defaults, 0..3).prop_map(|object_defaults| DefaultsInformation { object_defaults }).boxed()
}

fn certificate(v: ProtocolVersion) -> BoxedStrategy<Certificate> {
    (one!(CertificateType, v), bytes())
        .prop_map(|(certificate_type, value)| Certificate { certificate_type, value })
        .boxed()
}

fn certificate_request(v: ProtocolVersion) -> BoxedStrategy<CertificateRequest> {
    (one!(CertificateRequestType, v), bytes())
        .prop_map(|(certificate_request_type, value)| CertificateRequest { certificate_request_type, value })
        .boxed()
}

fn changes(v: ProtocolVersion) -> BoxedStrategy<AttributeChanges> {
    let index = within(v, ProtocolVersion::V1_0, ProtocolVersion::V1_4, any::<i32>());
    let deleted = (reference(v), index).prop_map(|(reference, index)| DeletedAttribute { reference, index });
    (vec(attribute(v), 0..4), vec(deleted, 0..3))
        .prop_map(|(changed, deleted)| AttributeChanges { changed, deleted })
        .boxed()
}

/// A value by which an attribute can be adjusted.
fn adjustment() -> BoxedStrategy<OwnedItem> {
    let tag = Tag::ADJUSTMENT_VALUE;
    prop_oneof![
        any::<i32>().prop_map(move |value| OwnedItem::of(tag, &value).unwrap()),
        any::<i64>().prop_map(move |value| OwnedItem::of(tag, &value).unwrap()),
        any::<u32>().prop_map(move |value| OwnedItem::of(tag, &Interval(value)).unwrap()),
        any::<i64>().prop_map(move |value| OwnedItem::of(tag, &DateTimeExtended(value)).unwrap()),
    ]
    .boxed()
}

fn function(v: ProtocolVersion) -> BoxedStrategy<Pkcs11Call> {
    prop_oneof![one!(Pkcs11Function, v).prop_map(Pkcs11Call::Standard), any::<i32>().prop_map(Pkcs11Call::Vendor)]
        .boxed()
}

pub(super) fn request_of(operation: Operation, v: ProtocolVersion) -> Option<BoxedStrategy<RequestPayload>> {
    use RequestPayload as P;
    let pending = bytes();
    Some(match operation {
        Operation::Archive => {
            id(v).prop_map(|unique_identifier| P::Archive(ArchiveRequest { unique_identifier })).boxed()
        }
        Operation::Recover => {
            id(v).prop_map(|unique_identifier| P::Recover(RecoverRequest { unique_identifier })).boxed()
        }
        Operation::ObtainLease => {
            id(v).prop_map(|unique_identifier| P::ObtainLease(ObtainLeaseRequest { unique_identifier })).boxed()
        }
        Operation::GetUsageAllocation => (id(v), any::<i64>())
            .prop_map(|(unique_identifier, usage_limits_count)| {
                P::GetUsageAllocation(GetUsageAllocationRequest { unique_identifier, usage_limits_count })
            })
            .boxed(),
        Operation::Validate => (vec(certificate(v), 0..3), vec(identifier(v), 0..3), of(date()))
            .prop_map(|(certificates, unique_identifiers, validity_date)| {
                P::Validate(ValidateRequest { certificates, unique_identifiers, validity_date })
            })
            .boxed(),
        Operation::Cancel => pending
            .prop_map(|asynchronous_correlation_value| P::Cancel(CancelRequest { asynchronous_correlation_value }))
            .boxed(),
        Operation::Poll => pending
            .prop_map(|asynchronous_correlation_value| P::Poll(PollRequest { asynchronous_correlation_value }))
            .boxed(),
        Operation::Process => pending
            .prop_map(|asynchronous_correlation_value| P::Process(ProcessRequest { asynchronous_correlation_value }))
            .boxed(),
        Operation::QueryAsynchronousRequests => {
            let values = vec(bytes(), 0..3).prop_map(|values| AsynchronousCorrelationValues { values });
            (of(values), of(operations(v)))
                .prop_map(|(asynchronous_correlation_values, operations)| {
                    P::QueryAsynchronousRequests(QueryAsynchronousRequestsRequest {
                        asynchronous_correlation_values,
                        operations,
                    })
                })
                .boxed()
        }
        Operation::SetAttribute => (id(v), attribute(v))
            .prop_map(|(unique_identifier, attribute)| {
                P::SetAttribute(SetAttributeRequest { unique_identifier, attribute })
            })
            .boxed(),
        Operation::AdjustAttribute => (id(v), reference(v), one!(AdjustmentType, v), of(adjustment()))
            .prop_map(|(unique_identifier, attribute_reference, adjustment_type, adjustment_value)| {
                P::AdjustAttribute(AdjustAttributeRequest {
                    unique_identifier,
                    attribute_reference,
                    adjustment_type,
                    adjustment_value,
                })
            })
            .boxed(),
        Operation::GetConstraints => Just(()).prop_map(|()| P::GetConstraints(GetConstraintsRequest)).boxed(),
        Operation::SetConstraints => {
            of(constraints(v)).prop_map(|constraints| P::SetConstraints(SetConstraintsRequest { constraints })).boxed()
        }
        Operation::SetDefaults => of(defaults(v))
            .prop_map(|defaults_information| P::SetDefaults(SetDefaultsRequest { defaults_information }))
            .boxed(),
        Operation::Ping => Just(()).prop_map(|()| P::Ping(PingRequest)).boxed(),
        Operation::Login => (of(lifetime()), of(any::<i32>()), of(usage_limits(v)))
            .prop_map(|(lease_time, request_count, usage_limits)| {
                P::Login(LoginRequest { lease_time, request_count, usage_limits })
            })
            .boxed(),
        Operation::DelegatedLogin => {
            let rights = vec(right(v), 0..4).prop_map(|rights| Rights { rights });
            (of(lifetime()), of(any::<i32>()), of(usage_limits(v)), rights)
                .prop_map(|(lease_time, request_count, usage_limits, rights)| {
                    P::DelegatedLogin(DelegatedLoginRequest { lease_time, request_count, usage_limits, rights })
                })
                .boxed()
        }
        Operation::Logout => ticket(v).prop_map(|ticket| P::Logout(LogoutRequest { ticket })).boxed(),
        Operation::Log => text().prop_map(|log_message| P::Log(LogRequest { log_message })).boxed(),
        Operation::Interop => (one!(InteropFunction, v), text())
            .prop_map(|(interop_function, interop_identifier)| {
                P::Interop(InteropRequest { interop_function, interop_identifier })
            })
            .boxed(),
        Operation::Pkcs11 => (of(text()), function(v), of(bytes()), of(secret()))
            .prop_map(|(interface, function, correlation_value, input_parameters)| {
                P::Pkcs11(Pkcs11Request { interface, function, correlation_value, input_parameters })
            })
            .boxed(),
        Operation::ReProvision => (of(certificate_request(v)), of(certificate(v)))
            .prop_map(|(certificate_request, certificate)| {
                P::ReProvision(ReProvisionRequest { certificate_request, certificate })
            })
            .boxed(),
        Operation::SetEndpointRole => one!(EndpointRole, v)
            .prop_map(|endpoint_role| P::SetEndpointRole(SetEndpointRoleRequest { endpoint_role }))
            .boxed(),
        Operation::Notify => (text(), changes(v))
            .prop_map(|(unique_identifier, changes)| P::Notify(NotifyRequest { unique_identifier, changes }))
            .boxed(),
        Operation::Put => (text(), one!(PutFunction, v), of(text()), object(v), attributes(v))
            .prop_map(|fields| {
                P::Put(PutRequest {
                    unique_identifier: fields.0,
                    put_function: fields.1,
                    replaced_unique_identifier: fields.2,
                    object: fields.3,
                    attributes: fields.4,
                })
            })
            .boxed(),
        _ => return None,
    })
}

/// Poll has no answer of its own, so it has no generator.
pub(super) fn response_of(operation: Operation, v: ProtocolVersion) -> Option<BoxedStrategy<ResponsePayload>> {
    use ResponsePayload as P;
    let id = text();
    Some(match operation {
        Operation::Archive => {
            id.prop_map(|unique_identifier| P::Archive(ArchiveResponse { unique_identifier })).boxed()
        }
        Operation::Recover => {
            id.prop_map(|unique_identifier| P::Recover(RecoverResponse { unique_identifier })).boxed()
        }
        Operation::ObtainLease => (id, any::<u32>(), date())
            .prop_map(|(unique_identifier, seconds, last_change_date)| {
                P::ObtainLease(ObtainLeaseResponse {
                    unique_identifier,
                    lease_time: Interval(seconds),
                    last_change_date,
                })
            })
            .boxed(),
        Operation::GetUsageAllocation => id
            .prop_map(|unique_identifier| P::GetUsageAllocation(GetUsageAllocationResponse { unique_identifier }))
            .boxed(),
        Operation::Validate => one!(ValidityIndicator, v)
            .prop_map(|validity_indicator| P::Validate(ValidateResponse { validity_indicator }))
            .boxed(),
        Operation::Cancel => (bytes(), one!(CancellationResult, v))
            .prop_map(|(asynchronous_correlation_value, cancellation_result)| {
                P::Cancel(CancelResponse { asynchronous_correlation_value, cancellation_result })
            })
            .boxed(),
        Operation::Process => Just(()).prop_map(|()| P::Process(ProcessResponse)).boxed(),
        Operation::QueryAsynchronousRequests => {
            let request = (bytes(), one!(Operation, v), any::<i64>(), one!(ProcessingStage, v)).prop_map(
                |(asynchronous_correlation_value, operation, submitted, processing_stage)| AsynchronousRequest {
                    asynchronous_correlation_value,
                    operation,
                    submission_date: DateTimeExtended(submitted),
                    processing_stage,
                },
            );
            vec(request, 0..4)
                .prop_map(|asynchronous_requests| {
                    P::QueryAsynchronousRequests(QueryAsynchronousRequestsResponse { asynchronous_requests })
                })
                .boxed()
        }
        Operation::SetAttribute => {
            id.prop_map(|unique_identifier| P::SetAttribute(SetAttributeResponse { unique_identifier })).boxed()
        }
        Operation::AdjustAttribute => {
            id.prop_map(|unique_identifier| P::AdjustAttribute(AdjustAttributeResponse { unique_identifier })).boxed()
        }
        Operation::GetConstraints => {
            constraints(v).prop_map(|constraints| P::GetConstraints(GetConstraintsResponse { constraints })).boxed()
        }
        Operation::SetConstraints => Just(()).prop_map(|()| P::SetConstraints(SetConstraintsResponse)).boxed(),
        Operation::SetDefaults => Just(()).prop_map(|()| P::SetDefaults(SetDefaultsResponse)).boxed(),
        Operation::Ping => Just(()).prop_map(|()| P::Ping(PingResponse)).boxed(),
        Operation::Login => ticket(v).prop_map(|ticket| P::Login(LoginResponse { ticket })).boxed(),
        Operation::DelegatedLogin => {
            ticket(v).prop_map(|ticket| P::DelegatedLogin(DelegatedLoginResponse { ticket })).boxed()
        }
        Operation::Logout => Just(()).prop_map(|()| P::Logout(LogoutResponse)).boxed(),
        Operation::Log => Just(()).prop_map(|()| P::Log(LogResponse)).boxed(),
        Operation::Interop => Just(()).prop_map(|()| P::Interop(InteropResponse)).boxed(),
        Operation::Pkcs11 => (of(text()), function(v), of(bytes()), of(secret()), one!(Pkcs11ReturnCode, v))
            .prop_map(|(interface, function, correlation_value, output_parameters, return_code)| {
                P::Pkcs11(Pkcs11Response { interface, function, correlation_value, output_parameters, return_code })
            })
            .boxed(),
        Operation::ReProvision => {
            of(text()).prop_map(|unique_identifier| P::ReProvision(ReProvisionResponse { unique_identifier })).boxed()
        }
        Operation::SetEndpointRole => one!(EndpointRole, v)
            .prop_map(|endpoint_role| P::SetEndpointRole(SetEndpointRoleResponse { endpoint_role }))
            .boxed(),
        Operation::Notify => Just(()).prop_map(|()| P::Notify(NotifyResponse)).boxed(),
        Operation::Put => Just(()).prop_map(|()| P::Put(PutResponse)).boxed(),
        _ => return None,
    })
}
