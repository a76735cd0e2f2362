//! The connections of a witness: TLS, one message after the other, each a length of 4 bytes and JSON.
//!
//! Only the nodes that the witness was told of are answered: TLS proves that they hold the key of a certificate that was
//! pinned when they were enrolled. What is remembered follows from signatures of the HSM group alone, and what is answered
//! is signed.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audit::TrustedKeys;
use audit::witness::{Answer, MAX_MESSAGE_LEN, MAX_TEXT_LEN, Request};
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::folder::Folder;
use crate::nodes::Nodes;

/// Connections at one time: a few nodes with one each, and room for restarts.
const MAX_CONNECTIONS: usize = 16;
/// A connection that says nothing for this long is closed; a node speaks at least at every interval with news.
const SILENCE: Duration = Duration::from_secs(300);
/// For the peer to take an answer.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
/// First room for a message; an announced length alone buys no more.
const FIRST_BUFFER: usize = 64 << 10;

/// What every connection shares.
pub struct Witness {
    folder: Mutex<Folder>,
    trusted: TrustedKeys,
    tls: Arc<ServerConfig>,
    connections: AtomicUsize,
}

impl Witness {
    /// A witness that co-signs heads signed by one of `trusted`, and shows this certificate (PEM files).
    ///
    /// # Errors
    /// Of the files.
    pub fn new(folder: Folder, trusted: TrustedKeys, certificate: &Path, key: &Path) -> io::Result<Self> {
        let invalid = |path: &Path, what: String| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", path.display()))
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|error| invalid(certificate, error.to_string()))?;
        // The parser's own words could quote the key.
        let private = PrivateKeyDer::from_pem_file(key).map_err(|_| invalid(key, "no private key in it".into()))?;
        let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(io::Error::other)?
            .with_client_cert_verifier(Arc::new(Nodes::of(folder.nodes())))
            .with_single_cert(chain, private)
            .map_err(|error| invalid(certificate, error.to_string()))?;
        Ok(Self { folder: Mutex::new(folder), trusted, tls: Arc::new(tls), connections: AtomicUsize::new(0) })
    }

    /// Serves until accepting fails.
    ///
    /// # Errors
    /// Of the listener.
    pub fn serve(self: Arc<Self>, listener: &TcpListener) -> io::Result<()> {
        loop {
            let (stream, peer) = listener.accept()?;
            if self.connections.fetch_add(1, Ordering::AcqRel) >= MAX_CONNECTIONS {
                self.connections.fetch_sub(1, Ordering::AcqRel);
                eprintln!("witness: {peer}: too many connections");
                continue;
            }
            let witness = Arc::clone(&self);
            std::thread::spawn(move || {
                if let Err(error) = witness.converse(stream) {
                    eprintln!("witness: {peer}: {error}");
                }
                witness.connections.fetch_sub(1, Ordering::AcqRel);
            });
        }
    }

    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(WRITE_DEADLINE))?;
        stream.set_nodelay(true)?;
        let connection = ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        while let Some(message) = read_message(&mut stream)? {
            let answer = match serde_json::from_slice(&message) {
                Ok(request) => self.answer(request),
                Err(error) => Answer { refused: Some(format!("no request: {error}")), ..Answer::default() },
            };
            let bytes = serde_json::to_vec(&answer)?;
            let len = u32::try_from(bytes.len()).map_err(io::Error::other)?;
            stream.write_all(&len.to_be_bytes())?;
            stream.write_all(&bytes)?;
            stream.flush()?;
        }
        Ok(())
    }

    /// Answers one request.
    fn answer(&self, request: Request) -> Answer {
        // A thread that panicked while it held the folder left the files whole, and the memory with them.
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        match request {
            Request::State { nonce } if nonce.len() > MAX_TEXT_LEN || nonce.chars().any(char::is_control) => {
                Answer { refused: Some("nonce".to_owned()), ..Answer::default() }
            }
            Request::State { nonce } => {
                let (state, signature) = folder.signed_state(&nonce);
                Answer { state: Some(state), signature: Some(STANDARD.encode(signature)), ..Answer::default() }
            }
            Request::Cosign { note } => match folder.cosign(&note, &self.trusted) {
                Ok(Ok(line)) => Answer { cosignature: Some(line), ..Answer::default() },
                Ok(Err(refusal)) => Answer {
                    diverged: refusal.is_divergence(),
                    refused: Some(refusal.to_string()),
                    ..Answer::default()
                },
                Err(error) => Answer { refused: Some(error.to_string()), ..Answer::default() },
            },
            Request::Update(update) => match folder.extend(&update, &self.trusted) {
                Ok(Ok(line)) => Answer { cosignature: Some(line), ..Answer::default() },
                Ok(Err(refusal)) => {
                    let diverged = refusal.is_divergence();
                    if diverged {
                        eprintln!("witness: refused: {refusal}");
                    }
                    Answer { refused: Some(refusal.to_string()), diverged, ..Answer::default() }
                }
                Err(error) => {
                    eprintln!("witness: {error}");
                    Answer { refused: Some("the witness cannot write".to_owned()), ..Answer::default() }
                }
            },
        }
    }
}

/// One message, or nothing where the peer is done.
fn read_message(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut len = [0; 4];
    match stream.read_exact(&mut len) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let len = usize::try_from(u32::from_be_bytes(len)).map_err(io::Error::other)?;
    if len > MAX_MESSAGE_LEN {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message over the limit"));
    }
    let mut message = Vec::with_capacity(len.min(FIRST_BUFFER));
    let wanted = u64::try_from(len).map_err(io::Error::other)?;
    stream.take(wanted).read_to_end(&mut message)?;
    if message.len() < len {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(message))
}
