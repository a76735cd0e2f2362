//! The stock TLS stack accepts what the profiles say, and refuses the vCenter certificate that they imitate.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::Arc;

use certs::{Authority, Issued, self_signed_vcenter_client};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

fn identity(issued: &Issued) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
    (vec![CertificateDer::from(issued.cert_der.clone())], key)
}

/// Shakes hands in memory: `Ok` where both sides are satisfied.
fn handshake(authority: &Authority, server: &Issued, client: &Issued, name: &str) -> Result<(), rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(authority.cert_der())).unwrap();
    let roots = Arc::new(roots);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build().unwrap();
    let (chain, key) = identity(server);
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    let (chain, key) = identity(client);
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)?;
    let mut server = ServerConnection::new(Arc::new(server))?;
    let mut client = ClientConnection::new(Arc::new(client), ServerName::try_from(name.to_owned()).unwrap())?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut wire = Vec::new();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

#[test]
fn server_and_client_certificates_are_accepted_under_every_name() {
    let authority = Authority::new("Test CA").unwrap();
    let server = authority.issue_server(&certs::demo::SERVER_NAMES).unwrap();
    let client = authority.issue_client("acme").unwrap();
    for name in certs::demo::SERVER_NAMES {
        handshake(&authority, &server, &client, name).unwrap();
    }
    assert!(handshake(&authority, &server, &client, "elsewhere.example").is_err());
}

#[test]
fn a_certificate_serves_its_own_purpose_only() {
    let authority = Authority::new("Test CA").unwrap();
    let server = authority.issue_server(&["localhost"]).unwrap();
    let client = authority.issue_client("acme").unwrap();
    assert!(handshake(&authority, &server, &server, "localhost").is_err(), "a server posed as a client");
    let foreign = Authority::new("Test CA").unwrap().issue_client("acme").unwrap();
    assert!(handshake(&authority, &server, &foreign, "localhost").is_err(), "a stranger was let in");
    let signed = {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, "by request");
        let request = params.serialize_request(&key).unwrap().pem().unwrap();
        let signed = authority.sign_csr(request.as_bytes()).unwrap();
        Issued { cert_pem: signed.cert_pem, key_pem: key.serialize_pem().into(), cert_der: signed.cert_der }
    };
    handshake(&authority, &server, &client, "localhost").unwrap();
    handshake(&authority, &server, &signed, "localhost").unwrap();
}

#[test]
fn the_stock_verifier_refuses_a_vcenter_certificate() {
    let authority = Authority::new("Test CA").unwrap();
    let server = authority.issue_server(&["localhost"]).unwrap();
    assert!(handshake(&authority, &server, &self_signed_vcenter_client().unwrap(), "localhost").is_err());
}
