//! A client exchanges its own certificate. KMIP 2.1 §6.1.48.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use admin_api::{NewDomain, Permission};
use certs::Issued;
use kmip::ProtocolVersion;
use kmip::attribute::AttributeValue;
use kmip::message::{Outcome, RequestMessage};
use kmip::object::{Certificate, CertificateRequest, KeyMaterial, ManagedObject};
use kmip::payload::{GetRequest, LocateRequest, ReProvisionRequest, ResponsePayload};
use kmip::registry::{CertificateRequestType, CertificateType, KeyFormatType, ObjectType, ResultReason};
use rcgen::{CertificateParams, KeyPair};
use system_tests::asking;
use system_tests::node::{Connection, Node};
use zeroize::Zeroizing;

const V2_1: ProtocolVersion = ProtocolVersion::V2_1;

/// A domain that allows it, and one client.
fn domain(node: &Node, name: &str) -> Issued {
    let new = NewDomain { name: name.to_owned(), policy: None, allow: vec![Permission::ReProvision] };
    node.admin("operator").unwrap().domain_create(&new).unwrap();
    let identity = certs::self_signed_vcenter_client().unwrap();
    node.register(name, &identity, None).unwrap();
    identity
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn issued(certificate: Vec<u8>, key_pem: String) -> Issued {
    Issued { cert_pem: pem("CERTIFICATE", &certificate), key_pem: Zeroizing::new(key_pem), cert_der: certificate }
}

fn with_certificate(identity: &Issued) -> ReProvisionRequest {
    let certificate = Certificate { certificate_type: CertificateType::X509, value: identity.cert_der.clone() };
    ReProvisionRequest { certificate: Some(certificate), ..Default::default() }
}

fn refused(client: &mut Connection, request: ReProvisionRequest) -> ResultReason {
    client.request(V2_1, request).unwrap_err().reason().unwrap()
}

/// The old connection is refused, the new one finds the key that was made before.
fn has_given_way(node: &Node, old: &mut Connection, old_identity: &Issued, new: &Issued, key: &str) {
    let reason = old.request(V2_1, LocateRequest::default()).unwrap_err().reason();
    assert_eq!(reason, Some(ResultReason::AuthenticationNotSuccessful));
    let again = node.connect(old_identity).and_then(|mut client| Ok(client.request(V2_1, GetRequest::of(key))?));
    assert!(again.is_err(), "the old certificate opens no connection");
    node.connect(new).unwrap().request(V2_1, GetRequest::of(key)).unwrap();
}

#[test]
fn a_signing_request_is_signed_and_its_certificate_takes_over() {
    let node = Node::start().unwrap();
    let old = domain(&node, "by-request");
    let mut client = node.connect(&old).unwrap();
    let key = client.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier;
    let pair = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "vcenter-2");
    let request = parameters.serialize_request(&pair).unwrap();
    let value = request.der().to_vec();

    let mut forged = value.clone();
    *forged.last_mut().unwrap() ^= 1;
    let asking_for = |value| ReProvisionRequest {
        certificate_request: Some(CertificateRequest {
            certificate_request_type: CertificateRequestType::Pkcs10,
            value,
        }),
        ..Default::default()
    };
    assert_eq!(refused(&mut client, asking_for(forged)), ResultReason::InvalidField);

    // The certificate can be had in the same batch, and by the new client afterwards.
    let items = [asking_for(value).into(), GetRequest::default().into()];
    let answers = asking::successes(client.call(RequestMessage::batch(V2_1, items)).unwrap()).unwrap();
    let [ResponsePayload::ReProvision(made), ResponsePayload::Get(got)] = answers.as_slice() else { panic!() };
    assert_eq!(made.unique_identifier.as_deref(), Some(got.unique_identifier.as_str()));
    let ManagedObject::Certificate(certificate) = &got.object else { panic!("no certificate") };
    let new = issued(certificate.value.clone(), pair.serialize_pem());
    has_given_way(&node, &mut client, &old, &new, &key);
}

#[test]
fn a_certificate_of_the_client_takes_over_over_a_restart() {
    let mut node = Node::start().unwrap();
    let old = domain(&node, "by-certificate");
    let new = certs::self_signed_vcenter_client().unwrap();
    let mut client = node.connect(&old).unwrap();
    let key = client.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier;
    client.request(V2_1, with_certificate(&new)).unwrap();
    has_given_way(&node, &mut client, &old, &new, &key);
    node.restart().unwrap();
    node.connect(&new).unwrap().request(V2_1, GetRequest::of(key.as_str())).unwrap();
    assert!(node.connect(&old).and_then(|mut client| Ok(client.request(V2_1, LocateRequest::default())?)).is_err());
    // Both are listed, and the log of the domain tells which came for which.
    let clients = node.admin("operator").unwrap().client_list("by-certificate").unwrap();
    assert_eq!(clients.iter().map(|one| one.revoked).collect::<Vec<_>>(), [true, false]);
    let log = String::from_utf8(node.export("by-certificate").unwrap()).unwrap();
    let replaced = hex::encode(certs::spki_fingerprint(&old.cert_der).unwrap());
    assert!(log.contains(&format!("replaces {replaced}")), "{log}");
}

#[test]
fn the_server_makes_a_pair_that_is_fetched_in_the_same_batch() {
    let node = Node::start().unwrap();
    let old = domain(&node, "by-server");
    let mut client = node.connect(&old).unwrap();
    let key = client.request(V2_1, asking::aes(Vec::new())).unwrap().unique_identifier;
    let as_pkcs8 = GetRequest { key_format_type: Some(KeyFormatType::Pkcs8), ..Default::default() };
    let certificates = LocateRequest {
        attributes: vec![AttributeValue::ObjectType(ObjectType::Certificate).into()],
        ..LocateRequest::default()
    };
    let batch =
        [ReProvisionRequest::default().into(), as_pkcs8.into(), certificates.into(), GetRequest::default().into()];
    let answers = asking::successes(client.call(RequestMessage::batch(V2_1, batch)).unwrap()).unwrap();
    let [ResponsePayload::ReProvision(made), ResponsePayload::Get(got), _, ResponsePayload::Get(own)] =
        answers.as_slice()
    else {
        panic!("{answers:?}")
    };
    assert_eq!(made.unique_identifier.as_deref(), Some(got.unique_identifier.as_str()));
    let Some(KeyMaterial::Bytes(bytes)) = got.object.key_block().unwrap().material() else { panic!("no key bytes") };
    let ManagedObject::Certificate(certificate) = &own.object else { panic!("no certificate") };
    let new = issued(certificate.value.clone(), pem("PRIVATE KEY", bytes.expose()));
    has_given_way(&node, &mut client, &old, &new, &key);
}

#[test]
fn what_cannot_be_a_credential_changes_nothing() {
    let node = Node::start().unwrap();
    let old = domain(&node, "refusing");
    let foreign = domain(&node, "neighbour");
    let mut client = node.connect(&old).unwrap();
    // Registered elsewhere, its own, broken: one answer.
    for unfit in [&foreign, &old] {
        assert_eq!(refused(&mut client, with_certificate(unfit)), ResultReason::InvalidField);
    }
    let broken = Issued { cert_der: vec![0x30, 0], ..certs::self_signed_vcenter_client().unwrap() };
    assert_eq!(refused(&mut client, with_certificate(&broken)), ResultReason::InvalidField);
    // Once in a message, and not at all where a later item has it undone.
    let new = certs::self_signed_vcenter_client().unwrap();
    let mut twice = RequestMessage::batch(
        V2_1,
        [with_certificate(&new).into(), with_certificate(&certs::self_signed_vcenter_client().unwrap()).into()],
    );
    twice.header.batch_error_continuation = Some(kmip::registry::BatchErrorContinuationOption::Undo);
    let answer = client.call(twice).unwrap();
    assert!(answer.items.iter().all(|item| !matches!(item.outcome, Outcome::Success(_))), "{answer:?}");
    client.request(V2_1, LocateRequest::default()).unwrap();
    assert_eq!(node.admin("operator").unwrap().client_list("refusing").unwrap().len(), 1);
    // A domain has to allow it.
    let plain = node.tenant("plain", "anssi").unwrap();
    let mut client = node.connect(&plain.identity).unwrap();
    assert_eq!(refused(&mut client, with_certificate(&new)), ResultReason::PermissionDenied);
}
