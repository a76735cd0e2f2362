//! A listener on a port of the system's choice, a service whose answers tests can predict, and clients.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use certs::{Authority, CertificateFacts, Issued};
use kms_server::limits::Limits;
use kms_server::shell::admission::Budget;
use kms_server::shell::connection::Kmip;
use kms_server::shell::listener::{self, Door};
use kms_server::shell::peer::{Fingerprint, Identity, IdentityKind, Peer};
use kms_server::shell::service::{FrameFault, KmipService, Registered, StrangerKind, Strangers};
use kms_server::shell::shutdown::{Stop, stop_signal};
use kms_server::shell::tls;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

pub const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

/// Byte 8 of a message that the service answers only when it is let go.
pub const HELD: u8 = 0xAA;

/// Answers each message with its own bytes under the tag of a Response Message.
pub struct Echo {
    identities: RwLock<HashMap<Fingerprint, Arc<Identity>>>,
    strangers: Mutex<Vec<StrangerKind>>,
    strangers_seen: watch::Sender<usize>,
    /// Messages that reached the service.
    pub entered: watch::Sender<usize>,
    /// One permit lets one held message go.
    pub let_go: Semaphore,
    pub refused: Mutex<Vec<(FrameFault, usize)>>,
}

impl Echo {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            identities: RwLock::default(),
            strangers: Mutex::default(),
            strangers_seen: watch::Sender::new(0),
            entered: watch::Sender::new(0),
            let_go: Semaphore::new(0),
            refused: Mutex::default(),
        })
    }

    pub fn revoke(&self, client: &Issued) {
        self.identities.write().unwrap().remove(&fingerprint(client));
    }

    /// The first `count` strangers, once there are so many.
    pub async fn strangers(&self, count: usize) -> Vec<StrangerKind> {
        self.strangers_seen.subscribe().wait_for(|seen| *seen >= count).await.unwrap();
        self.strangers.lock().unwrap().clone()
    }
}

impl Registered for Echo {
    fn find(&self, fingerprint: &Fingerprint) -> Option<Arc<Identity>> {
        self.identities.read().unwrap().get(fingerprint).cloned()
    }
}

impl Strangers for Echo {
    fn note_stranger(&self, kind: StrangerKind, _address: SocketAddr) {
        self.strangers.lock().unwrap().push(kind);
        self.strangers_seen.send_modify(|seen| *seen += 1);
    }
}

#[async_trait]
impl KmipService for Echo {
    async fn answer(&self, _peer: &Peer, mut frame: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        self.entered.send_modify(|entered| *entered += 1);
        if frame.get(8) == Some(&HELD) {
            self.let_go.acquire().await.unwrap().forget();
        }
        frame[2] = 0x7b;
        frame
    }

    async fn refuse(&self, _peer: &Peer, fault: FrameFault, start: &[u8]) -> Zeroizing<Vec<u8>> {
        self.refused.lock().unwrap().push((fault, start.len()));
        Zeroizing::new(REFUSAL.to_vec())
    }
}

/// What [`Echo`] says to what is no message.
pub const REFUSAL: [u8; 16] = *b"\x42\x00\x7b\x01\x00\x00\x00\x08refused.";

/// A clock that tests turn; 0 means now.
#[derive(Debug, Default)]
pub struct Clock(pub AtomicU64);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        match self.0.load(Ordering::Relaxed) {
            0 => Some(UnixTime::now()),
            seconds => Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds))),
        }
    }
}

pub struct Bench {
    pub authority: Authority,
    pub service: Arc<Echo>,
    pub clock: Arc<Clock>,
    pub address: SocketAddr,
    pub stop: Stop,
    /// Ends when the listener has drained.
    pub server: JoinHandle<()>,
}

/// Limits that no honest client of these tests meets, however loaded the machine is.
pub fn generous() -> Limits {
    let minute = Duration::from_secs(60);
    Limits {
        handshake_deadline: minute,
        header_deadline: minute,
        body_deadline: minute,
        idle_deadline: minute,
        write_deadline: minute,
        linger_deadline: minute,
        drain_deadline: minute,
        ..Limits::default()
    }
}

impl Bench {
    pub async fn start(limits: Limits) -> Self {
        let authority = Authority::new("test").unwrap();
        let key = certified(&authority.issue_server(&["localhost"]).unwrap());
        let (service, clock) = (Echo::new(), Arc::new(Clock::default()));
        let tls = tls::server_config(Arc::new(key), service.clone(), clock.clone()).unwrap();
        let door = Door::new(tls, service.clone(), service.clone(), Budget::kmip(&limits), &limits);
        let listener = listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = stop_signal();
        let conversation = Kmip::new(service.clone(), limits, clock.clone());
        let server = tokio::spawn(listener::run(listener, Arc::new(door), conversation, stopping));
        Self { authority, service, clock, address, stop, server }
    }

    /// A client of the test's authority, registered.
    pub fn client(&self, name: &str) -> Issued {
        let client = self.authority.issue_client(name).unwrap();
        self.register(&client.cert_der);
        client
    }

    pub fn register(&self, certificate: &[u8]) {
        let fingerprint = certs::spki_fingerprint(certificate).unwrap();
        let identity = Identity { fingerprint, domain: [7; 16], name: "acme".to_owned(), kind: IdentityKind::Client };
        self.service.identities.write().unwrap().insert(fingerprint, Arc::new(identity));
    }

    pub fn config(&self, version: &'static SupportedProtocolVersion, key: CertifiedKey) -> ClientConfig {
        self.unidentified(version).with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
    }

    pub fn unidentified(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.cert_der().to_vec().into()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
    }

    /// A finished handshake of `client`, as far as the client can tell.
    pub async fn connect(&self, version: &'static SupportedProtocolVersion, client: &Issued) -> Client {
        self.connect_with(self.config(version, certified(client))).await.unwrap()
    }

    pub async fn connect_with(&self, config: ClientConfig) -> io::Result<Client> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let tap = Tap { stream, records: Arc::default(), skip: 0, head: Vec::new() };
        let records = tap.records.clone();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tap).await?;
        Ok(Client { stream, records })
    }

    /// Stops the server and waits for its end.
    pub async fn end(self) {
        self.stop.stop();
        self.server.await.unwrap();
    }
}

/// A client's end of a connection.
pub struct Client {
    pub stream: TlsStream<Tap>,
    records: Arc<AtomicUsize>,
}

impl Client {
    /// TLS records with application data that have come in so far; in TLS 1.3 those of the handshake look alike.
    pub fn records(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }

    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next whole message.
    pub async fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut header = [0; 8];
        self.stream.read_exact(&mut header).await?;
        let body = usize::try_from(u32::from_be_bytes(header[4..].try_into().unwrap())).unwrap();
        let mut message = header.to_vec();
        message.resize(8 + body, 0);
        self.stream.read_exact(&mut message[8..]).await?;
        Ok(message)
    }

    /// One request and its answer.
    pub async fn call(&mut self, first: u8) -> io::Result<()> {
        let sent = request(first, 24);
        self.send(&sent).await?;
        assert_eq!(self.receive().await?, answer(&sent));
        Ok(())
    }

    /// Returns when the server has closed, properly or by a reset; panics if it says anything before.
    pub async fn closed(&mut self) {
        let mut byte = [0];
        match self.stream.read(&mut byte).await {
            Ok(0) | Err(_) => {}
            Ok(_) => panic!("the server still talks"),
        }
    }
}

/// Counts the TLS records with application data (type 23) that pass.
pub struct Tap {
    stream: TcpStream,
    records: Arc<AtomicUsize>,
    /// Bytes left of the record that passes.
    skip: usize,
    head: Vec<u8>,
}

impl Tap {
    fn watch(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.skip > 0 {
                let passed = self.skip.min(bytes.len());
                self.skip -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            self.head.push(byte);
            bytes = rest;
            if let [kind, _, _, high, low] = self.head[..] {
                self.skip = usize::from(u16::from_be_bytes([high, low]));
                self.head.clear();
                if kind == 23 {
                    self.records.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

impl AsyncRead for Tap {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, into))?;
        let passed = into.filled()[before..].to_vec();
        self.watch(&passed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

pub fn fingerprint(client: &Issued) -> Fingerprint {
    CertificateFacts::of(&client.cert_der).unwrap().fingerprint
}

pub fn certified(issued: &Issued) -> CertifiedKey {
    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
    CertifiedKey::from_der(vec![issued.cert_der.clone().into()], key, &tls::provider()).unwrap()
}

/// A message of `body` bytes, a multiple of 8, of which the first is `first`.
pub fn request(first: u8, body: u32) -> Vec<u8> {
    let mut message = vec![0x42, 0x00, 0x78, 0x01];
    message.extend_from_slice(&body.to_be_bytes());
    message.resize(8 + usize::try_from(body).unwrap(), 0x55);
    message[8] = first;
    message
}

/// What [`Echo`] answers.
pub fn answer(request: &[u8]) -> Vec<u8> {
    let mut answer = request.to_vec();
    answer[2] = 0x7b;
    answer
}

/// Waits until the system refuses connections to `address`.
pub async fn refused(address: SocketAddr) {
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

/// Returns when `stream` has ended, properly or by a reset.
pub async fn ended(stream: &mut TcpStream) {
    let mut bytes = [0; 256];
    while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
}
