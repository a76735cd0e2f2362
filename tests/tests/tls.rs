//! Who gets in: TLS versions, certificates as clients in the field have them, strangers, and clients whose registration
//! ends while they are connected.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use admin_api::{Fingerprint, IssueClient};
use certs::{Authority, Issued};
use kmip::ProtocolVersion;
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::payload::{DiscoverVersionsRequest, GetRequest, LocateRequest};
use kmip::registry::ResultReason;
use kmip_client::{ClientIdentity, TlsVersions, roots_from_pem};
use rustls::client::Resumption;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};
use rustls_pki_types::ServerName;
use system_tests::asking::{aes, bytes};
use system_tests::node::{Connection, Node, Result};
use zeroize::Zeroizing;

const V1_1: ProtocolVersion = ProtocolVersion::V1_1;
const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

/// Whether this client gets as far as an answer.
fn is_served(node: &Node, identity: &Issued) -> Result<()> {
    node.connect(identity)?.request(V1_4, LocateRequest::default())?;
    Ok(())
}

/// The alert with which a connection ended, if one came.
fn alert(error: &system_tests::node::Error) -> Option<rustls::AlertDescription> {
    error.downcast_ref::<kmip_client::Error>()?.alert()
}

#[test]
fn both_versions_of_tls_are_served() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("tls", "anssi").unwrap();
    let mut ids = Vec::new();
    for versions in [TlsVersions::Only12, TlsVersions::Only13, TlsVersions::Both] {
        let mut connection = Connection::open(&node, &tenant.identity, versions).unwrap();
        ids.push(connection.request(V1_4, aes(Vec::new())).unwrap().unique_identifier);
        for id in &ids {
            assert_eq!(bytes(&connection.request(V1_4, GetRequest::of(id)).unwrap()).unwrap().len(), 32);
        }
    }
}

#[test]
fn certificates_of_every_kind_in_the_field_can_be_registered() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("tls", "anssi").unwrap();
    // vCenter's own: self-signed, an authority by its basic constraints, no extended key usage.
    is_served(&node, &tenant.identity).unwrap();
    // One from an authority that the server has never heard of: the registered key counts.
    let from_elsewhere = Authority::new("somebody else's authority").unwrap().issue_client("kmip").unwrap();
    node.register(&tenant.name, &from_elsewhere, None).unwrap();
    is_served(&node, &from_elsewhere).unwrap();
    // One that the domain's own authority issued, key and all.
    let issue = IssueClient { name: "issued".to_owned(), csr: None, credential: None };
    let issued = node.admin("operator").unwrap().client_issue(&tenant.name, &issue).unwrap();
    let issued = Issued {
        cert_der: certs::certificate_der(issued.certificate.as_bytes()).unwrap(),
        cert_pem: issued.certificate,
        key_pem: Zeroizing::new(issued.private_key.unwrap().expose().to_owned()),
    };
    is_served(&node, &issued).unwrap();
}

#[test]
fn strangers_are_refused_and_cost_others_nothing() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("tls", "anssi").unwrap();
    let stranger = certs::self_signed_vcenter_client().unwrap();
    // The same name on another key is another client.
    let same_authority = Authority::new("CA").unwrap().issue_client("operator").unwrap();
    for identity in [&stranger, &same_authority] {
        let refused = is_served(&node, identity).unwrap_err();
        assert!(alert(&refused).is_some(), "an alert says that the certificate is not taken: {refused}");
        is_served(&node, &tenant.identity).unwrap();
    }
    // No certificate at all.
    let mut stream = tls(&node, None);
    assert!(ask(&mut stream, &discover()).is_err());
    // Something that is not TLS, and nothing at all.
    let mut plain = TcpStream::connect(node.addresses().unwrap().kmip).unwrap();
    plain.write_all(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A reset is as good an end as a close.
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "no admin API on the KMIP port");
    let silent = TcpStream::connect(node.addresses().unwrap().kmip).unwrap();
    is_served(&node, &tenant.identity).unwrap();
    drop(silent);
    is_served(&node, &tenant.identity).unwrap();
}

#[test]
fn administrators_are_no_kmip_clients() {
    let node = Node::start().unwrap();
    for name in ["operator", "officer1", "auditor"] {
        let file =
            |ending: &str| std::fs::read_to_string(node.stage.pki().join(format!("admin/{name}.{ending}"))).unwrap();
        let (cert_pem, key_pem) = (file("pem"), Zeroizing::new(file("key")));
        let cert_der = certs::certificate_der(cert_pem.as_bytes()).unwrap();
        let refused = is_served(&node, &Issued { cert_pem, key_pem, cert_der }).unwrap_err();
        assert!(alert(&refused).is_some(), "{name}: {refused}");
    }
}

#[test]
fn a_revoked_client_gets_nothing_more_on_an_open_connection() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("tls", "anssi").unwrap();
    let neighbour = certs::self_signed_vcenter_client().unwrap();
    node.register(&tenant.name, &neighbour, None).unwrap();
    let mut open = node.connect(&tenant.identity).unwrap();
    let mut other = node.connect(&neighbour).unwrap();
    let id = open.request(V1_4, aes(Vec::new())).unwrap().unique_identifier;
    open.request(V1_4, GetRequest::of(&id)).unwrap();

    let fingerprint = Fingerprint(certs::spki_fingerprint(&tenant.identity.cert_der).unwrap());
    assert!(node.revoke(&tenant.name, fingerprint).unwrap().revoked);

    match open.request(V1_4, GetRequest::of(&id)) {
        Err(error) => {
            let reason = error.reason();
            assert!(reason.is_none_or(|reason| reason == ResultReason::AuthenticationNotSuccessful), "{error}");
        }
        Ok(_) => panic!("a revoked client got a key"),
    }
    assert!(is_served(&node, &tenant.identity).is_err(), "and it does not get in again");
    // The domain's other client is not disturbed.
    other.request(V1_4, GetRequest::of(&id)).unwrap();
}

#[test]
fn a_client_registered_while_the_node_runs_gets_in_at_once() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("tls", "anssi").unwrap();
    let late = certs::self_signed_vcenter_client().unwrap();
    assert!(is_served(&node, &late).is_err());
    node.register(&tenant.name, &late, None).unwrap();
    is_served(&node, &late).unwrap();
}

#[test]
fn no_handshake_is_shortened() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("tls", "anssi").unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = config(&node, Some(&tenant.identity), version);
        for _ in 0..3 {
            let mut stream = dial(&node, &config);
            ResponseMessage::decode(&ask(&mut stream, &discover()).unwrap()).unwrap();
            assert_eq!(stream.conn.handshake_kind(), Some(HandshakeKind::Full), "{version:?}");
        }
    }
}

#[test]
fn requests_may_be_pipelined_and_come_in_pieces() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("tls", "anssi").unwrap();
    let mut stream = tls(&node, Some(&tenant.identity));
    let request = discover();
    let all: Vec<u8> = std::iter::repeat_n(request.clone(), 8).flatten().collect();
    // Seven bytes to a record, as some clients write.
    for piece in all.chunks(7) {
        stream.write_all(piece).unwrap();
        stream.flush().unwrap();
    }
    for _ in 0..8 {
        ResponseMessage::decode(&read_message(&mut stream).unwrap()).unwrap();
    }
    // And a client that hangs up inside a message disturbs nobody.
    stream.write_all(&request[..request.len() - 3]).unwrap();
    drop(stream);
    is_served(&node, &tenant.identity).unwrap();
}

/// The Discover Versions that begins every connection of vCenter's.
fn discover() -> Vec<u8> {
    RequestMessage::single(V1_1, DiscoverVersionsRequest::default()).encode().unwrap().to_vec()
}

type Stream = StreamOwned<ClientConnection, TcpStream>;

fn tls(node: &Node, identity: Option<&Issued>) -> Stream {
    dial(node, &config(node, identity, &rustls::version::TLS13))
}

fn config(
    node: &Node,
    identity: Option<&Issued>,
    version: &'static rustls::SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let authority = std::fs::read(node.stage.pki().join("ca.pem")).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots_from_pem(&authority).unwrap());
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let identity = ClientIdentity::from_pem(identity.cert_pem.as_bytes(), identity.key_pem.as_bytes()).unwrap();
            builder.with_client_auth_cert(identity.cert_chain, identity.key).unwrap()
        }
    };
    // This client would take every chance of a shorter handshake.
    config.resumption = Resumption::in_memory_sessions(16);
    Arc::new(config)
}

fn dial(node: &Node, config: &Arc<ClientConfig>) -> Stream {
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    StreamOwned::new(connection, TcpStream::connect(node.addresses().unwrap().kmip).unwrap())
}

fn ask(stream: &mut Stream, request: &[u8]) -> std::io::Result<Vec<u8>> {
    stream.write_all(request)?;
    stream.flush()?;
    read_message(stream)
}

fn read_message(stream: &mut Stream) -> std::io::Result<Vec<u8>> {
    let mut message = vec![0; 8];
    stream.read_exact(&mut message)?;
    let len = u32::from_be_bytes(message[4..8].try_into().unwrap());
    message.resize(8 + usize::try_from(len).unwrap(), 0);
    stream.read_exact(&mut message[8..])?;
    Ok(message)
}
