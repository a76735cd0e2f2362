//! Who does not get in, how it is counted, and that the next client is served.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use certs::{Authority, CertificateFacts, self_signed_vcenter_client};
use kms_server::shell::service::StrangerKind;
use kms_server::shell::tls;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::bench::{BOTH, Bench, certified, ended, generous};

#[tokio::test]
async fn each_kind_of_stranger_is_counted_as_what_it_is_and_the_next_client_is_served() {
    let bench = Bench::start(generous()).await;
    let honest = bench.client("acme");
    let unregistered = bench.authority.issue_client("stranger").unwrap();
    let thief = CertifiedKey::new(vec![honest.cert_der.clone().into()], certified(&unregistered).key);
    let mut expected = Vec::new();
    for version in BOTH {
        let attempts = [
            (bench.unidentified(version).with_no_client_auth(), StrangerKind::NoCertificate),
            (bench.config(version, certified(&unregistered)), StrangerKind::Unregistered),
            (bench.config(version, thief.clone()), StrangerKind::BadSignature),
        ];
        for (config, kind) in attempts {
            // In TLS 1.3 a client thinks itself inside until it reads the alert.
            if let Ok(mut client) = bench.connect_with(config).await {
                client.call(1).await.unwrap_err();
            }
            expected.push(kind);
            assert_eq!(bench.service.strangers(expected.len()).await, expected);
            bench.connect(version, &honest).await.call(2).await.unwrap();
        }
    }
    bench.end().await;
}

#[tokio::test]
async fn bytes_that_are_no_handshake_are_counted_and_closed() {
    let bench = Bench::start(generous()).await;
    let honest = bench.client("acme");
    let garbage: [&[u8]; 3] = [b"GET / HTTP/1.1\r\n\r\n", &[0x42, 0, 0x78, 1, 0, 0, 0, 0], &[0xFF; 64]];
    for (number, bytes) in garbage.into_iter().enumerate() {
        let mut socket = TcpStream::connect(bench.address).await.unwrap();
        socket.write_all(bytes).await.unwrap();
        ended(&mut socket).await;
        assert_eq!(bench.service.strangers(number + 1).await, vec![StrangerKind::BrokenHandshake; number + 1]);
        bench.connect(BOTH[number % 2], &honest).await.call(1).await.unwrap();
    }
    bench.end().await;
}

#[tokio::test]
async fn vcenters_probes_leave_no_trace_but_a_count() {
    let bench = Bench::start(generous()).await;
    let vcenter = self_signed_vcenter_client().unwrap();
    bench.register(&vcenter.cert_der);
    // Not trusted yet: vCenter breaks its handshakes off, 18 of them in half a minute.
    let elsewhere = Authority::new("elsewhere").unwrap();
    for number in 0..18 {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(elsewhere.cert_der().to_vec().into()).unwrap();
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[BOTH[number % 2]])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified(&vcenter))));
        assert!(bench.connect_with(config).await.is_err());
    }
    assert_eq!(bench.service.strangers(18).await, [StrangerKind::BrokenHandshake; 18]);
    // Trusted: before each health check a handshake without a message, closed with and without a word.
    for version in BOTH {
        let mut polite = bench.connect(version, &vcenter).await;
        polite.stream.shutdown().await.unwrap();
        drop(bench.connect(version, &vcenter).await);
        bench.connect(version, &vcenter).await.call(1).await.unwrap();
    }
    assert_eq!(bench.service.strangers(18).await.len(), 18);
    assert!(bench.service.refused.lock().unwrap().is_empty());
    bench.end().await;
}

#[tokio::test]
async fn a_revocation_acts_on_the_next_handshake() {
    let bench = Bench::start(generous()).await;
    let identity = bench.client("acme");
    for version in BOTH {
        bench.register(&identity.cert_der);
        // One configuration for both, so that there would be a session to resume.
        let config = bench.config(version, certified(&identity));
        bench.connect_with(config.clone()).await.unwrap().call(1).await.unwrap();
        bench.service.revoke(&identity);
        if let Ok(mut client) = bench.connect_with(config).await {
            client.call(2).await.unwrap_err();
        }
    }
    assert_eq!(bench.service.strangers(2).await, [StrangerKind::Unregistered; 2]);
    bench.end().await;
}

#[tokio::test]
async fn a_connection_does_not_outlive_its_certificate() {
    let bench = Bench::start(generous()).await;
    let identity = bench.client("acme");
    let last = u64::try_from(CertificateFacts::of(&identity.cert_der).unwrap().not_after).unwrap();
    for version in BOTH {
        bench.clock.0.store(0, Ordering::Relaxed);
        let mut client = bench.connect(version, &identity).await;
        client.call(1).await.unwrap();
        bench.clock.0.store(last, Ordering::Relaxed);
        client.call(2).await.unwrap();
        bench.clock.0.store(last + 1, Ordering::Relaxed);
        client.call(3).await.unwrap_err();
        assert_eq!(*bench.service.entered.borrow() % 2, 0, "two of three requests reached the service");
    }
    bench.end().await;
}

/// Many RSA certificates in the field, `openssl x509` makes them by default, are X.509 version 1: no extensions at all.
#[tokio::test]
async fn rsa_keys_and_certificates_of_version_1_are_identities_too() {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |arguments: &[&str]| {
        let run = Command::new("openssl").args(arguments).current_dir(folder.path()).output();
        let run = run.unwrap_or_else(|error| panic!("openssl, of Debian's package of that name, is needed: {error}"));
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "rsa.pem"]);
    openssl(&["req", "-new", "-key", "rsa.pem", "-subj", "/CN=old client", "-out", "rsa.csr"]);
    openssl(&["x509", "-req", "-in", "rsa.csr", "-signkey", "rsa.pem", "-days", "2", "-out", "rsa.crt"]);
    let certificate = CertificateDer::from_pem_file(folder.path().join("rsa.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.path().join("rsa.pem")).unwrap();
    let signer = tls::provider().key_provider.load_private_key(key).unwrap();
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).unwrap();
    assert_eq!(parsed.version(), x509_parser::x509::X509Version::V1);

    let bench = Bench::start(generous()).await;
    bench.register(&certificate);
    for version in BOTH {
        let config = bench.config(version, CertifiedKey::new(vec![certificate.clone()], Arc::clone(&signer)));
        bench.connect_with(config).await.unwrap().call(1).await.unwrap();
    }
    bench.end().await;
}
