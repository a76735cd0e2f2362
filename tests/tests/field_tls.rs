//! What clients in the field bring along for TLS: one suite, one curve, no server name, RSA certificates with and
//! without extended key usage; and what they look at in the server's certificate.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use certs::Issued;
use kmip::ProtocolVersion;
use kmip::registry::Operation;
use kmip_client::{ClientIdentity, TlsVersions};
use rustls::crypto::ring::{cipher_suite as suite, default_provider, kx_group};
use rustls::{CipherSuite, ClientConfig, SupportedCipherSuite};
use system_tests::clients::{clients, python};
use system_tests::node::{Node, Tenant, folder};
use system_tests::socket::{configuration, roots};
use system_tests::strict::{Request, Strict};
use xtask::stage::StageOptions;
use zeroize::Zeroizing;

/// The name in the server's certificate.
const NAME: &str = "localhost";
/// What Go's clients offer in TLS 1.2 to a server with an EC key, and what others may have alone.
const ECDSA: [SupportedCipherSuite; 3] = [
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
];
/// The same to a server with an RSA key.
const RSA: [SupportedCipherSuite; 3] = [
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];
/// Those of TLS 1.3, whatever the key.
const OF_1_3: [SupportedCipherSuite; 3] =
    [suite::TLS13_AES_128_GCM_SHA256, suite::TLS13_AES_256_GCM_SHA384, suite::TLS13_CHACHA20_POLY1305_SHA256];

/// A client that has these suites and this curve only.
fn offering(
    node: &Node,
    tenant: &Tenant,
    suites: &[SupportedCipherSuite],
    curve: Option<&'static dyn rustls::crypto::SupportedKxGroup>,
) -> ClientConfig {
    let mut provider = default_provider();
    provider.cipher_suites = suites.to_vec();
    if let Some(curve) = curve {
        provider.kx_groups = vec![curve];
    }
    let identity =
        ClientIdentity::from_pem(tenant.identity.cert_pem.as_bytes(), tenant.identity.key_pem.as_bytes()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(node).unwrap())
        .with_client_auth_cert(identity.cert_chain, identity.key)
        .unwrap()
}

/// Asks something on a connection, and tells the suite on which it was answered.
fn is_served(node: &Node, configuration: ClientConfig) -> CipherSuite {
    let mut client = Strict::open_with(node, configuration, NAME).unwrap();
    client.ask(&Request::locate(ProtocolVersion::V1_1, None, &[])).unwrap().payload().unwrap();
    client.tls().negotiated_cipher_suite().unwrap().suite()
}

fn every_suite_alone_is_enough(node: &Node, of_1_2: &[SupportedCipherSuite]) {
    let tenant = node.tenant("suites", "anssi").unwrap();
    for one in OF_1_3.iter().chain(of_1_2) {
        assert_eq!(is_served(node, offering(node, &tenant, &[*one], None)), one.suite());
    }
    for curve in [kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1] {
        for suites in [&OF_1_3, of_1_2] {
            is_served(node, offering(node, &tenant, suites, Some(curve)));
        }
    }
}

#[test]
fn every_suite_and_curve_alone_is_enough_with_an_ec_server() {
    every_suite_alone_is_enough(&Node::start().unwrap(), &ECDSA);
}

/// RSA certificates in a folder: a server's, and those of clients by their names.
fn rsa_certificates(home: &Path, node: &Node) -> Vec<String> {
    let pki = node.stage.pki();
    let told = python(home, |command| {
        command.arg(clients().join("rsa_certificates.py")).args([pki.join("ca.pem"), pki.join("ca.key")]);
    });
    told.unwrap().into_iter().map(|step| step.name).collect()
}

#[test]
fn rsa_servers_and_rsa_clients_are_as_good() {
    let mut node = Node::prepare(&StageOptions::default()).unwrap();
    let home = folder().unwrap();
    let names = rsa_certificates(home.path(), &node);
    for file in ["server.pem", "server.key"] {
        fs::copy(home.path().join(file), node.stage.pki().join(file)).unwrap();
    }
    node.serve().unwrap();
    every_suite_alone_is_enough(&node, &RSA);

    let tenant = node.tenant("rsa", "anssi").unwrap();
    assert_eq!(names.len(), 4);
    for name in names {
        // The leaf alone, whoever signed it.
        let read = |ending: &str| fs::read_to_string(home.path().join(format!("{name}.{ending}"))).unwrap();
        let cert_pem = read("pem");
        let cert_der = certs::certificate_der(cert_pem.as_bytes()).unwrap();
        let identity = Issued { cert_pem, key_pem: Zeroizing::new(read("key")), cert_der };
        node.register(&tenant.name, &identity, None).unwrap();
        for versions in [TlsVersions::Only12, TlsVersions::Only13] {
            is_served(&node, configuration(&node, &identity, versions).unwrap());
        }
    }
}

#[test]
fn clients_that_name_no_server_are_served() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("nameless", "anssi").unwrap();
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        let mut configuration = configuration(&node, &tenant.identity, versions).unwrap();
        configuration.enable_sni = false;
        is_served(&node, configuration);
    }
}

#[test]
fn the_server_s_certificate_has_its_name_and_address_and_no_other() {
    let node = Node::start().unwrap();
    let tenant = node.tenant("names", "anssi").unwrap();
    let configured = || configuration(&node, &tenant.identity, TlsVersions::Both).unwrap();
    let read = |file: &str| certs::certificate_der(&fs::read(node.stage.pki().join(file)).unwrap()).unwrap();
    let leaf = read("server.pem");
    assert_ne!(leaf, read("ca.pem"));
    // An address is never sent as a server name: the certificate is the same without.
    for name in [NAME, "127.0.0.1"] {
        let mut client = Strict::open_with(&node, configured(), name).unwrap();
        let request = Request::on(ProtocolVersion::V1_1, Operation::Get, "nobody");
        client.ask(&request).unwrap().reason().unwrap();
        // The leaf comes first, and nothing comes that is not in the operator's file: not what the client trusts anyway.
        let sent: Vec<Vec<u8>> =
            client.tls().peer_certificates().unwrap().iter().map(|certificate| certificate.to_vec()).collect();
        assert_eq!(sent, std::slice::from_ref(&leaf), "{name}");
    }
    for name in ["kms.invalid", "127.0.0.2"] {
        assert!(Strict::open_with(&node, configured(), name).is_err(), "{name}");
    }
}
