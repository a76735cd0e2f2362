//! Real handshakes between rustls's client and our rules, over buffers in memory.

use std::collections::HashSet;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};

use certs::{Authority, CertificateFacts, Issued, self_signed_vcenter_client};
use rustls::client::ResolvesClientCert;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConnection, SupportedProtocolVersion,
};
use rustls_pki_types::ServerName;

use super::*;
use crate::shell::peer::{Identity, IdentityKind};

const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

/// A registry that tests change while handshakes run.
#[derive(Default)]
struct Registry(RwLock<HashSet<Fingerprint>>);

impl Registry {
    fn register(&self, client: &Issued) {
        self.0.write().unwrap().insert(facts(client).fingerprint);
    }

    fn revoke(&self, client: &Issued) {
        self.0.write().unwrap().remove(&facts(client).fingerprint);
    }
}

impl Registered for Registry {
    fn find(&self, fingerprint: &Fingerprint) -> Option<Arc<Identity>> {
        let identity = Identity {
            fingerprint: *fingerprint,
            domain: [7; 16],
            name: "acme".to_owned(),
            kind: IdentityKind::Client,
        };
        self.0.read().unwrap().contains(fingerprint).then(|| Arc::new(identity))
    }
}

/// A clock that tests turn; 0 means now.
#[derive(Debug, Default)]
struct Clock(AtomicU64);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        match self.0.load(Ordering::Relaxed) {
            0 => Some(UnixTime::now()),
            seconds => Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))),
        }
    }
}

fn facts(client: &Issued) -> CertificateFacts {
    CertificateFacts::of(&client.cert_der).unwrap()
}

fn certified(issued: &Issued) -> CertifiedKey {
    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
    CertifiedKey::from_der(vec![issued.cert_der.clone().into()], key, &provider()).unwrap()
}

struct Bench {
    authority: Authority,
    registry: Arc<Registry>,
    clock: Arc<Clock>,
    server: Arc<ServerConfig>,
}

impl Bench {
    fn new() -> Self {
        let authority = Authority::new("test").unwrap();
        let key = Arc::new(certified(&authority.issue_server(&["localhost"]).unwrap()));
        let (registry, clock) = (Arc::new(Registry::default()), Arc::new(Clock::default()));
        let server = server_config(key, registry.clone(), clock.clone()).unwrap();
        Self { authority, registry, clock, server }
    }

    fn client(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.cert_der().to_vec().into()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(ring_provider::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
    }

    fn client_as(&self, version: &'static SupportedProtocolVersion, issued: &Issued) -> Arc<ClientConfig> {
        let resolver = SingleCertAndKey::from(certified(issued));
        Arc::new(self.client(version).with_client_cert_resolver(Arc::new(resolver)))
    }

    fn kind(&self, client: &Arc<ClientConfig>) -> StrangerKind {
        let refused = self.shake(client).map(drop).unwrap_err();
        stranger_of(&std::io::Error::new(std::io::ErrorKind::InvalidData, refused))
    }

    /// Carries bytes to and fro until both sides are content; the error is the server's.
    fn shake(&self, client: &Arc<ClientConfig>) -> Result<(ClientConnection, ServerConnection), Error> {
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::clone(&self.server)).unwrap();
        while client.wants_write() || server.wants_write() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets().unwrap();
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        Ok((client, server))
    }
}

#[test]
fn a_registered_certificate_passes_and_proves_its_key() {
    let bench = Bench::new();
    let client = bench.authority.issue_client("acme").unwrap();
    bench.registry.register(&client);
    for version in BOTH {
        let (_, server) = bench.shake(&bench.client_as(version, &client)).unwrap();
        assert_eq!(server.protocol_version(), Some(version.version));
        let proof = claim(&server.peer_certificates().unwrap()[0]).unwrap();
        let facts = facts(&client);
        assert_eq!(proof, Proof { fingerprint: facts.fingerprint, not_after: facts.not_after });
    }
}

#[test]
fn a_self_signed_authority_without_key_usage_passes_like_vcenters() {
    let bench = Bench::new();
    let client = self_signed_vcenter_client().unwrap();
    let facts = facts(&client);
    assert!(facts.is_ca && !facts.client_auth && facts.issuer == facts.subject);
    bench.registry.register(&client);
    for version in BOTH {
        bench.shake(&bench.client_as(version, &client)).unwrap();
    }
}

#[test]
fn an_unregistered_certificate_is_refused_whoever_signed_it() {
    let bench = Bench::new();
    // Of the server's own authority: an issuer alone admits nobody.
    for client in [bench.authority.issue_client("acme").unwrap(), self_signed_vcenter_client().unwrap()] {
        for version in BOTH {
            assert_eq!(bench.kind(&bench.client_as(version, &client)), StrangerKind::Unregistered);
        }
    }
}

#[test]
fn a_revoked_certificate_is_refused_at_the_next_handshake() {
    let bench = Bench::new();
    let client = bench.authority.issue_client("acme").unwrap();
    bench.registry.register(&client);
    for version in BOTH {
        // The same client configuration, so that a session to resume would be at hand.
        let config = bench.client_as(version, &client);
        bench.shake(&config).unwrap();
        bench.registry.revoke(&client);
        assert_eq!(bench.kind(&config), StrangerKind::Unregistered);
        bench.registry.register(&client);
    }
}

#[test]
fn validity_is_enforced_on_both_ends() {
    let bench = Bench::new();
    let client = bench.authority.issue_client("acme").unwrap();
    bench.registry.register(&client);
    let facts = facts(&client);
    let (first, last) = (u64::try_from(facts.not_before).unwrap(), u64::try_from(facts.not_after).unwrap());
    for version in BOTH {
        let config = bench.client_as(version, &client);
        for (second, accepted) in [(first - 1, false), (first, true), (last, true), (last + 1, false)] {
            bench.clock.0.store(second, Ordering::Relaxed);
            if accepted {
                bench.shake(&config).unwrap();
            } else {
                assert_eq!(bench.kind(&config), StrangerKind::Expired);
            }
        }
    }
}

#[test]
fn a_client_without_certificate_is_refused() {
    let bench = Bench::new();
    for version in BOTH {
        let config = Arc::new(bench.client(version).with_no_client_auth());
        assert_eq!(bench.kind(&config), StrangerKind::NoCertificate);
    }
}

#[test]
fn a_registered_certificate_without_its_key_is_refused() {
    let bench = Bench::new();
    let client = bench.authority.issue_client("acme").unwrap();
    bench.registry.register(&client);
    let thief = certified(&bench.authority.issue_client("thief").unwrap());
    for version in BOTH {
        // The certificate is public; the thief signs with a key of its own.
        let stolen = CertifiedKey::new(vec![client.cert_der.clone().into()], Arc::clone(&thief.key));
        let config = bench.client(version).with_client_cert_resolver(Arc::new(SingleCertAndKey::from(stolen)));
        assert_eq!(bench.kind(&Arc::new(config)), StrangerKind::BadSignature);
    }
}

#[test]
fn every_connection_makes_a_full_handshake() {
    let bench = Bench::new();
    let client = bench.authority.issue_client("acme").unwrap();
    bench.registry.register(&client);
    for version in BOTH {
        // The client keeps sessions and would resume if it were offered any.
        let config = bench.client_as(version, &client);
        for _ in 0..3 {
            let (client, server) = bench.shake(&config).unwrap();
            assert_eq!(server.handshake_kind(), Some(HandshakeKind::Full));
            assert_eq!(client.tls13_tickets_received(), 0);
            assert_eq!(client.alpn_protocol(), None);
        }
    }
}

/// A resolver that notes what the server asked for.
#[derive(Debug)]
struct Curious {
    key: Arc<CertifiedKey>,
    hints: Mutex<Option<usize>>,
}

impl ResolvesClientCert for Curious {
    fn resolve(&self, hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        *self.hints.lock().unwrap() = Some(hints.len());
        Some(Arc::clone(&self.key))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[test]
fn the_certificate_request_names_no_authority() {
    let bench = Bench::new();
    let client = bench.authority.issue_client("acme").unwrap();
    bench.registry.register(&client);
    for version in BOTH {
        let curious = Arc::new(Curious { key: Arc::new(certified(&client)), hints: Mutex::default() });
        let config = bench.client(version).with_client_cert_resolver(Arc::clone(&curious) as Arc<_>);
        bench.shake(&Arc::new(config)).unwrap();
        assert_eq!(*curious.hints.lock().unwrap(), Some(0));
    }
}

#[test]
fn only_forward_secret_authenticated_suites_are_offered() {
    let offered: Vec<String> = provider().cipher_suites.iter().map(|suite| format!("{:?}", suite.suite())).collect();
    assert_eq!(offered.len(), SUITES.len(), "ring lacks one of ours: {offered:?}");
    for suite in offered {
        assert!(suite.starts_with("TLS13_") || suite.starts_with("TLS_ECDHE_"), "{suite}");
        assert!(suite.contains("_GCM_") || suite.contains("_CHACHA20_"), "{suite}");
    }
}

#[test]
fn bytes_after_a_handshake_flow_both_ways() {
    let bench = Bench::new();
    let client = bench.authority.issue_client("acme").unwrap();
    bench.registry.register(&client);
    for version in BOTH {
        let (mut client, mut server) = bench.shake(&bench.client_as(version, &client)).unwrap();
        std::io::Write::write_all(&mut client.writer(), b"marker").unwrap();
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        let mut read = [0; 6];
        server.reader().read_exact(&mut read).unwrap();
        assert_eq!(&read, b"marker");
    }
}

#[test]
fn a_key_that_is_not_the_certificates_is_named() {
    let bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("server.pem"), folder.path().join("server.key"));
    let [one, other] = ["localhost", "elsewhere"].map(|name| bench.authority.issue_server(&[name]).unwrap());
    std::fs::write(&certificate, &one.cert_pem).unwrap();
    std::fs::write(&key, one.key_pem.as_bytes()).unwrap();
    server_key(&certificate, &key).unwrap();
    std::fs::write(&key, other.key_pem.as_bytes()).unwrap();
    assert!(matches!(server_key(&certificate, &key), Err(TlsError::Mismatch { .. })));
    std::fs::write(&key, "nothing").unwrap();
    assert!(matches!(server_key(&certificate, &key), Err(TlsError::Pem { .. })));
    std::fs::write(&certificate, "nothing").unwrap();
    assert!(matches!(server_key(&certificate, &key), Err(TlsError::Pem { .. })));
}

#[test]
fn what_is_no_certificate_claims_nothing() {
    let issued = self_signed_vcenter_client().unwrap();
    let whole = issued.cert_der;
    assert!(claim(&whole.clone().into()).is_some());
    for end in 0..whole.len() {
        assert_eq!(claim(&whole[..end].to_vec().into()), None, "cut at {end}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert_eq!(claim(&longer.into()), None);
    assert_eq!(claim(&vec![0x30; MAX_CERTIFICATE_BYTES + 1].into()), None);
}
