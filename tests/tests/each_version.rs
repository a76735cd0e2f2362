//! What few clients ask for works in each version that has it, not only in the newest.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use admin_api::{NewDomain, Permission};
use kmip::ProtocolVersion;
use kmip::attribute::{AttributeValue, CryptographicParameters};
use kmip::message::{Credential, Outcome, RequestMessage, TicketCredential};
use kmip::object::Certificate;
use kmip::payload::{
    CancelRequest, CheckRequest, CreateRequest, Data, DelegatedLoginRequest, GetAttributesRequest, InteropRequest,
    LocateRequest, LoginRequest, LogoutRequest, PollRequest, ProcessRequest, ReProvisionRequest, RequestPayload,
    ResponsePayload, Right, Rights, RngRetrieveRequest, SignRequest, SignatureVerifyRequest, Ticket,
};
use kmip::registry::{
    AsynchronousIndicator, CancellationResult, CertificateType, CryptographicAlgorithm, DigitalSignatureAlgorithm,
    InteropFunction, Operation, ResultReason, TicketType, UsageMask, ValidityIndicator,
};
use kmip::ttlv::{DateTime, Wire};
use secret::Secret;
use system_tests::asking;
use system_tests::node::{Connection, Node};

const V2_0: ProtocolVersion = ProtocolVersion::V2_0;
const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

/// Every version that has the operation.
fn having(operation: Operation) -> impl Iterator<Item = ProtocolVersion> {
    ProtocolVersion::ALL.into_iter().filter(move |version| operation.known_in(*version))
}

/// The outcome of one item, with a ticket shown or without.
fn outcome(
    client: &mut Connection,
    version: ProtocolVersion,
    ticket: Option<Ticket>,
    payload: impl Into<RequestPayload>,
) -> Outcome {
    let mut message = RequestMessage::single(version, payload);
    message.header.authentication.extend(ticket.map(|ticket| Credential::Ticket(TicketCredential { ticket })));
    client.call(message).unwrap().items.remove(0).outcome
}

#[test]
fn a_signature_is_made_and_checked_and_a_forged_one_is_told() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("signing", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let data = || Some(Data::from(Secret::copy_from(b"a text to be signed")));
    let parameters = || {
        Some(Box::new(CryptographicParameters {
            digital_signature_algorithm: Some(DigitalSignatureAlgorithm::EcdsaWithSha256),
            ..Default::default()
        }))
    };
    let mut asked = 0;
    for version in having(Operation::Sign) {
        let active = vec![AttributeValue::ActivationDate(DateTime(1))];
        let pair = client.request(version, asking::p256_pair(active)).unwrap();
        let sign = SignRequest {
            unique_identifier: Some(pair.private_key_unique_identifier.as_str().into()),
            cryptographic_parameters: parameters(),
            data: data(),
            ..Default::default()
        };
        let signature = client.request(version, sign).unwrap().signature_data.unwrap();
        let mut forged = signature.clone();
        *forged.last_mut().unwrap() ^= 1;
        for (signature, expected) in [(signature, ValidityIndicator::Valid), (forged, ValidityIndicator::Invalid)] {
            let verify = SignatureVerifyRequest {
                unique_identifier: Some(pair.public_key_unique_identifier.as_str().into()),
                cryptographic_parameters: parameters(),
                data: data(),
                signature_data: Some(signature),
                ..Default::default()
            };
            let verified = client.request(version, verify).unwrap();
            assert_eq!(verified.validity_indicator, Some(expected), "{version}");
        }
        asked += 1;
    }
    assert_eq!(asked, 5, "1.2 to 2.1");
}

#[test]
fn random_bytes_are_as_many_as_asked_for_and_never_the_same() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("random", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mut drawn = std::collections::HashSet::new();
    for version in having(Operation::RngRetrieve) {
        for _ in 0..2 {
            let bytes = client.request(version, RngRetrieveRequest { data_length: 32 }).unwrap().data;
            assert_eq!(bytes.expose().len(), 32);
            assert!(drawn.insert(bytes.expose().to_vec()), "{version}");
        }
    }
    assert_eq!(drawn.len(), 10);
}

#[test]
fn a_ticket_opens_what_it_was_given_for_until_its_logout() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("tickets", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    for version in having(Operation::Login) {
        let rights = Rights { rights: vec![Right::default()] };
        let logins = [
            RequestPayload::from(LoginRequest::default()),
            DelegatedLoginRequest { lease_time: None, request_count: None, usage_limits: None, rights }.into(),
        ];
        for login in logins {
            let granted = match outcome(&mut client, version, None, login) {
                Outcome::Success(ResponsePayload::Login(granted)) => granted.ticket,
                Outcome::Success(ResponsePayload::DelegatedLogin(granted)) => granted.ticket,
                other => panic!("{version}: {other:?}"),
            };
            let ticket = || Ticket {
                ticket_type: TicketType::Login,
                ticket_value: Secret::copy_from(granted.ticket_value.expose()),
            };
            let shown = outcome(&mut client, version, Some(ticket()), LocateRequest::default());
            assert!(matches!(shown, Outcome::Success(_)), "{version}: {shown:?}");
            let ended = outcome(&mut client, version, None, LogoutRequest { ticket: ticket() });
            assert!(matches!(ended, Outcome::Success(_)), "{version}: {ended:?}");
            let shown = outcome(&mut client, version, Some(ticket()), LocateRequest::default());
            assert!(matches!(shown, Outcome::Failure { .. }), "{version}: {shown:?}");
        }
    }
}

#[test]
fn what_is_put_off_can_be_hurried_and_what_is_done_cannot_be_cancelled() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("later", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    for version in [V2_0, V2_1] {
        for operation in [Operation::Cancel, Operation::Process] {
            if !operation.known_in(version) {
                continue;
            }
            let mut message = RequestMessage::single(version, asking::aes(Vec::new()));
            message.header.asynchronous = Some(AsynchronousIndicator::Mandatory);
            let put_off = client.call(message).unwrap().items.remove(0).outcome;
            let Outcome::Pending { asynchronous_correlation_value: value } = put_off else { panic!("{put_off:?}") };
            let asynchronous_correlation_value = value.clone();
            let asked = if operation == Operation::Process {
                outcome(&mut client, version, None, ProcessRequest { asynchronous_correlation_value })
            } else {
                outcome(&mut client, version, None, CancelRequest { asynchronous_correlation_value })
            };
            let cancelled = match asked {
                Outcome::Success(ResponsePayload::Process(_)) => false,
                Outcome::Success(ResponsePayload::Cancel(answer)) => {
                    answer.cancellation_result == CancellationResult::Canceled
                }
                other => panic!("{version}: {other:?}"),
            };
            // Whenever the Cancel came, it says what is true.
            let mut polled =
                outcome(&mut client, version, None, PollRequest { asynchronous_correlation_value: value.clone() });
            while matches!(polled, Outcome::Pending { .. }) {
                let poll = PollRequest { asynchronous_correlation_value: value.clone() };
                polled = outcome(&mut client, version, None, poll);
            }
            assert_eq!(matches!(polled, Outcome::Success(ResponsePayload::Create(_))), !cancelled, "{polled:?}");
        }
    }
}

#[test]
fn interop_is_answered_by_domains_that_are_not_production() {
    let node = Node::start().unwrap();
    for (policy, offered) in [("legacy", true), ("anssi", false)] {
        let tenant = node.tenant(policy, policy).unwrap();
        let mut client = node.connect(&tenant.identity).unwrap();
        for version in having(Operation::Interop) {
            for interop_function in [InteropFunction::Begin, InteropFunction::Reset, InteropFunction::End] {
                let asked = InteropRequest { interop_function, interop_identifier: "TC-1".to_owned() };
                match outcome(&mut client, version, None, asked) {
                    Outcome::Success(_) => assert!(offered, "{version}"),
                    Outcome::Failure { reason: ResultReason::OperationNotSupported, .. } => {
                        assert!(!offered, "{version}")
                    }
                    other => panic!("{version}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_client_exchanges_its_certificate_in_each_version_that_lets_it() {
    let node = Node::start().unwrap();
    for version in having(Operation::ReProvision) {
        let name = format!("provisioned-{}", version.minor);
        let new = NewDomain { name: name.clone(), policy: None, allow: vec![Permission::ReProvision] };
        node.admin("operator").unwrap().domain_create(&new).unwrap();
        let [old, next] = [certs::self_signed_vcenter_client().unwrap(), certs::self_signed_vcenter_client().unwrap()];
        node.register(&name, &old, None).unwrap();
        let certificate = Certificate { certificate_type: CertificateType::X509, value: next.cert_der.clone() };
        let exchange = ReProvisionRequest { certificate: Some(certificate), ..Default::default() };
        node.connect(&old).unwrap().request(version, exchange).unwrap();
        let mut again = node.connect(&next).unwrap();
        again.request(version, LocateRequest::default()).unwrap();
        let refused = node.connect(&old).and_then(|mut client| Ok(client.request(version, LocateRequest::default())?));
        assert!(refused.is_err(), "{version}: the old certificate still opens the domain");
    }
}

#[test]
fn no_version_is_told_of_uses_that_it_has_not() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("uses", "anssi").unwrap();
    let mut client = node.connect(&tenant.identity).unwrap();
    let mask = UsageMask::ENCRYPT | UsageMask::FPE_ENCRYPT;
    let key = CreateRequest::symmetric_key(vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Aes),
        AttributeValue::CryptographicLength(256),
        AttributeValue::CryptographicUsageMask(mask),
    ]);
    let id = client.request(V2_1, key).unwrap().unique_identifier;
    for version in ProtocolVersion::ALL {
        let got = client.request(version, GetAttributesRequest::of(&id, &["Cryptographic Usage Mask"])).unwrap();
        let told = AttributeValue::CryptographicUsageMask(if version < V2_0 { UsageMask::ENCRYPT } else { mask });
        assert_eq!(got.attributes.iter().map(|one| &one.value).collect::<Vec<_>>(), [&told], "{version}");
        // A Check repeats what was asked and refused, in words of the version. In 2.x nothing stands in its answer.
        let wanted = UsageMask::SIGN | UsageMask::AUTHENTICATE | UsageMask(0x2000_0000);
        let check = CheckRequest {
            unique_identifier: Some(id.as_str().into()),
            cryptographic_usage_mask: Some(wanted),
            ..Default::default()
        };
        let answer = client.call(RequestMessage::single(version, check)).unwrap().items.remove(0).outcome;
        match answer {
            Outcome::CheckFailed { payload, .. } if version < V2_0 => {
                let repeated = payload.cryptographic_usage_mask;
                assert_eq!(repeated, Some(UsageMask::SIGN | UsageMask(0x2000_0000)), "{version}");
            }
            Outcome::Failure { .. } if version >= V2_0 => {}
            other => panic!("{version}: {other:?}"),
        }
    }
}
