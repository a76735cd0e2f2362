//! The admin API on a port of its own, with one registered administrator and what a client needs to reach it.

use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use admin_api::AdminClient;
use certs::{Authority, Issued};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::time_provider::DefaultTimeProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::memory::Memory;
use crate::admin::backend::{AdminBackend, NobodyReads};
use crate::admin::serve;
use crate::limits::Limits;
use crate::shell::peer::{Fingerprint as PeerFingerprint, Identity, IdentityKind};
use crate::shell::service::{Registered, StrangerKind};
use crate::shell::shutdown::{Stop, stop_signal};
use crate::shell::tls;

/// Admits one key.
struct One(PeerFingerprint);

impl Registered for One {
    fn find(&self, fingerprint: &PeerFingerprint) -> Option<Arc<Identity>> {
        (*fingerprint == self.0).then(|| {
            let kind = IdentityKind::Admin { role: "operator".to_owned() };
            Arc::new(Identity { fingerprint: self.0, domain: [0; 16], name: "operator".to_owned(), kind })
        })
    }
}

pub(super) struct World {
    pub(super) authority: Authority,
    pub(super) admin: Issued,
    pub(super) address: SocketAddr,
    pub(super) memory: Arc<Memory>,
    pub(super) strangers: mpsc::UnboundedReceiver<StrangerKind>,
    pub(super) unread: mpsc::UnboundedReceiver<NobodyReads>,
    pub(super) stop: Stop,
    pub(super) served: JoinHandle<()>,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        let authority = Authority::new("Test CA").unwrap();
        let admin = authority.issue_client("operator").unwrap();
        let shown = authority.issue_server(&["127.0.0.1"]).unwrap();
        let key = PrivateKeyDer::from_pem_slice(shown.key_pem.as_bytes()).unwrap();
        let key = CertifiedKey::from_der(vec![shown.cert_der.into()], key, &tls::provider()).unwrap();
        let known: Arc<dyn Registered> = Arc::new(One(certs::spki_fingerprint(&admin.cert_der).unwrap()));
        let config = tls::server_config(Arc::new(key), known.clone(), Arc::new(DefaultTimeProvider)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stranger, strangers) = mpsc::unbounded_channel();
        let (nobody, unread) = mpsc::unbounded_channel();
        let memory = Arc::new(Memory {
            calls: Mutex::default(),
            callers: Mutex::default(),
            refusals: Mutex::default(),
            strangers: stranger,
            began: Notify::new(),
            release: Notify::new(),
            finished: AtomicBool::new(false),
            unread: nobody,
        });
        let (stop, stopping) = stop_signal();
        let backend: Arc<dyn AdminBackend> = memory.clone();
        let served = tokio::spawn(serve(listener, config, known, backend, limits, stopping));
        Self { authority, admin, address, memory, strangers, unread, stop, served }
    }

    pub(super) fn client(&self) -> AdminClient {
        self.client_as(&self.admin)
    }

    pub(super) fn client_as(&self, who: &Issued) -> AdminClient {
        let ca = self.authority.cert_pem().as_bytes();
        let url = format!("https://{}", self.address);
        AdminClient::new(&url, ca, who.cert_pem.as_bytes(), who.key_pem.as_bytes()).unwrap()
    }

    /// Calls the blocking client beside the runtime.
    pub(super) async fn call<T: Send + 'static>(&self, call: impl FnOnce(AdminClient) -> T + Send + 'static) -> T {
        let client = self.client();
        tokio::task::spawn_blocking(move || call(client)).await.unwrap()
    }

    /// A connection after its handshake.
    pub(super) async fn connect(&self) -> TlsStream<TcpStream> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(self.authority.cert_der())).unwrap();
        let key = PrivateKeyDer::from_pem_slice(self.admin.key_pem.as_bytes()).unwrap();
        let config = rustls::ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![self.admin.cert_der.clone().into()], key)
            .unwrap();
        let socket = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap()
    }

    /// Sends bytes and reads all that comes back until the server closes.
    pub(super) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        read_all(&mut stream).await
    }

    pub(super) async fn post(&self, path: &str, content_type: &str, body: &str) -> String {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {content_type}\r\n");
        self.raw(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await
    }
}

pub(super) async fn read_all(stream: &mut TlsStream<TcpStream>) -> String {
    let mut answer = Vec::new();
    // A server that gives up on a connection may do so without a TLS farewell.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Connections that begin a handshake record and say no more.
pub(super) async fn silent(world: &World) -> Vec<TcpStream> {
    let mut sockets = Vec::new();
    for _ in 0..50 {
        let mut socket = TcpStream::connect(world.address).await.unwrap();
        socket.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
        sockets.push(socket);
    }
    sockets
}
