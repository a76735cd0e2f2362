//! Re-Provision across domains: nobody takes over a credential of another domain, learns that it is one, or reaches with
//! a new credential what the old one did not. KMIP 2.1 §6.1.48.

use kmip::ProtocolVersion;
use kmip::message::{Outcome as Answer, RequestMessage};
use kmip::object::{Certificate, CertificateRequest};
use kmip::payload::{GetRequest, LocateRequest, ReProvisionRequest, ResponsePayload};
use kmip::registry::{
    BatchErrorContinuationOption, CertificateRequestType, CertificateType, KeyFormatType, ResultReason,
};
use rcgen::{CertificateParams, KeyPair};
use system_tests::asking;
use system_tests::node::{Connection, Node};
use uuid::Uuid;

use crate::{ask, is_not_found, outcomes};

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

fn with_certificate(der: &[u8]) -> ReProvisionRequest {
    let certificate = Certificate { certificate_type: CertificateType::X509, value: der.to_vec() };
    ReProvisionRequest { certificate: Some(certificate), ..Default::default() }
}

/// A signing request for the key of a certificate that is registered already.
fn with_request(key_pem: &str) -> ReProvisionRequest {
    let pair = KeyPair::from_pem(key_pem).unwrap();
    let value = CertificateParams::default().serialize_request(&pair).unwrap().der().to_vec();
    let certificate_request_type = CertificateRequestType::Pkcs10;
    let certificate_request = Some(CertificateRequest { certificate_request_type, value });
    ReProvisionRequest { certificate_request, ..Default::default() }
}

/// The answer, and that it is a refusal.
fn refused(client: &mut Connection, request: ReProvisionRequest) -> Vec<u8> {
    let answer = ask(client, &RequestMessage::single(V2_1, request));
    let outcome = outcomes(&answer).pop().unwrap();
    assert!(matches!(outcome, Answer::Failure { reason: ResultReason::InvalidField, .. }), "{outcome:?}");
    answer
}

#[test]
fn a_credential_of_another_domain_cannot_be_taken_and_is_not_told_from_one_that_does_not_fit() {
    let node = Node::start().unwrap();
    let [owner, asker] = ["owner", "asker"].map(|stem| node.tenant(stem, "legacy").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let mut asks = node.connect(&asker.identity).unwrap();
    let key = owners.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier;
    let before = node.admin("operator").unwrap().client_list(&owner.name).unwrap();

    // Registered there, registered here, no certificate at all: the same bytes.
    let foreign = refused(&mut asks, with_certificate(&owner.identity.cert_der));
    assert_eq!(foreign, refused(&mut asks, with_certificate(&asker.identity.cert_der)));
    assert_eq!(foreign, refused(&mut asks, with_certificate(&[0x30, 0])));
    let foreign = refused(&mut asks, with_request(&owner.identity.key_pem));
    assert_eq!(foreign, refused(&mut asks, with_request(&asker.identity.key_pem)));
    // Nothing happened: to the owner, to its key, to the asker.
    assert_eq!(node.admin("operator").unwrap().client_list(&owner.name).unwrap(), before);
    owners.request(V2_1, GetRequest::of(key.as_str())).unwrap();
    assert_eq!(asks.request(V2_1, LocateRequest::default()).unwrap().unique_identifiers, Vec::<String>::new());
}

#[test]
fn what_re_provision_makes_is_in_the_domain_that_asked_and_reaches_no_other() {
    let node = Node::start().unwrap();
    let [owner, asker] = ["owner", "asker"].map(|stem| node.tenant(stem, "legacy").unwrap());
    let mut owners = node.connect(&owner.identity).unwrap();
    let key = owners.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier;
    let mut asks = node.connect(&asker.identity).unwrap();

    // The server's own pair: another domain finds no trace of it, by identifier or search.
    let fetch = GetRequest { key_format_type: Some(KeyFormatType::Pkcs8), ..Default::default() };
    let batch = [ReProvisionRequest::default().into(), fetch.into(), LocateRequest::default().into()];
    let answers = asking::successes(asks.call(RequestMessage::batch(V2_1, batch)).unwrap()).unwrap();
    let [ResponsePayload::ReProvision(made), _, ResponsePayload::Locate(located)] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    assert_eq!(located.unique_identifiers.len(), 3, "two keys and a certificate");
    assert!(located.unique_identifiers.contains(made.unique_identifier.as_ref().unwrap()));
    let absent = ask(&mut owners, &RequestMessage::single(V2_1, GetRequest::of(Uuid::now_v7().to_string())));
    for id in &located.unique_identifiers {
        let foreign = ask(&mut owners, &RequestMessage::single(V2_1, GetRequest::of(id.as_str())));
        assert_eq!(foreign, absent);
        assert!(is_not_found(&outcomes(&foreign)[0]));
    }
    assert_eq!(owners.request(V2_1, LocateRequest::default()).unwrap().unique_identifiers, std::slice::from_ref(&key));

    // A new certificate of a client reaches what the old one did, and the other domain as little.
    let asker = node.tenant("again", "legacy").unwrap();
    let mut asks = node.connect(&asker.identity).unwrap();
    let own = asks.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier;
    let new = certs::self_signed_vcenter_client().unwrap();
    asks.request(V2_1, with_certificate(&new.cert_der)).unwrap();
    let mut asks = node.connect(&new).unwrap();
    asks.request(V2_1, GetRequest::of(own)).unwrap();
    let mut message = RequestMessage::batch(V2_1, [GetRequest::of(key.as_str()).into()]);
    message.header.batch_error_continuation = Some(BatchErrorContinuationOption::Continue);
    assert!(is_not_found(&outcomes(&ask(&mut asks, &message))[0]));
    // Who has the one credential cannot take it over from the other domain either.
    refused(&mut owners, with_certificate(&new.cert_der));
}
