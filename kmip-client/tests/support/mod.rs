//! A TLS server that answers as a test tells it.

use std::net::SocketAddr;
use std::sync::Arc;

use certs::{Authority, Issued};
use kmip_client::{ClientIdentity, roots_from_pem};
use rustls::server::WebPkiClientVerifier;
use rustls::{ProtocolVersion, RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;

/// What the server does with a request.
pub enum Reply {
    /// Sends these bytes.
    Bytes(Vec<u8>),
    /// Sends these bytes and hangs up.
    BytesThenEnd(Vec<u8>),
    /// Sends nothing and waits.
    Silence,
}

/// What the server saw.
#[derive(Debug, PartialEq)]
pub enum Seen {
    /// A handshake: the version of TLS, and how many certificates the client showed.
    Handshake(Option<ProtocolVersion>, usize),
    /// Bytes that arrived in one piece.
    Piece(usize),
    /// The client said goodbye.
    Goodbye,
    /// The handshake failed, or the connection broke.
    Broken,
}

pub struct Server {
    pub address: SocketAddr,
    pub authority: Authority,
    pub seen: UnboundedReceiver<Seen>,
}

impl Server {
    /// Serves connections one after another until the test ends.
    pub async fn start(mut reply: impl FnMut(&[u8]) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        // Each server has an authority of its own, of another name.
        let authority = Authority::new(&format!("authority of {address}")).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(server_config(&authority)));
        let (report, seen) = unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(tcp).await else {
                    report.send(Seen::Broken).unwrap();
                    continue;
                };
                let (_, session) = stream.get_ref();
                let shown = session.peer_certificates().map_or(0, <[_]>::len);
                report.send(Seen::Handshake(session.protocol_version(), shown)).unwrap();
                let mut buffer = vec![0; 64 << 10];
                loop {
                    match stream.read(&mut buffer).await {
                        Ok(0) => break report.send(Seen::Goodbye).unwrap(),
                        Err(_) => break report.send(Seen::Broken).unwrap(),
                        Ok(len) => {
                            report.send(Seen::Piece(len)).unwrap();
                            match reply(&buffer[..len]) {
                                Reply::Bytes(bytes) => stream.write_all(&bytes).await.unwrap(),
                                Reply::BytesThenEnd(bytes) => {
                                    stream.write_all(&bytes).await.unwrap();
                                    break stream.shutdown().await.unwrap();
                                }
                                Reply::Silence => {}
                            }
                            stream.flush().await.unwrap();
                        }
                    }
                }
            }
        });
        Self { address, authority, seen }
    }

    /// An identity that the server trusts.
    pub fn identity(&self) -> ClientIdentity {
        identity(&self.authority.issue_client("client").unwrap())
    }

    /// The authority that the server's certificate leads to.
    pub fn roots(&self) -> RootCertStore {
        roots_from_pem(self.authority.cert_pem().as_bytes()).unwrap()
    }

    pub async fn next_seen(&mut self) -> Seen {
        self.seen.recv().await.unwrap()
    }
}

pub fn identity(issued: &Issued) -> ClientIdentity {
    ClientIdentity::from_pem(issued.cert_pem.as_bytes(), issued.key_pem.as_bytes()).unwrap()
}

fn server_config(authority: &Authority) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(roots_from_pem(authority.cert_pem().as_bytes()).unwrap());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build().unwrap();
    let issued = authority.issue_server(&["localhost", "127.0.0.1"]).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12, &rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![CertificateDer::from(issued.cert_der.clone())], key)
        .unwrap()
}
