//! TLS connections that do what no client does: half messages, no certificate, bytes one by one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use certs::Issued;
use kmip_client::{ClientIdentity, TlsVersions, roots_from_pem, tls_config_for};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::node::{Node, Result};

/// The name in the server's certificate.
const SERVER_NAME: &str = "localhost";
/// Nothing here waits longer for the server: a test that does has found something.
const PATIENCE: Duration = Duration::from_secs(30);

/// A TLS connection, blocking.
pub struct Socket {
    stream: StreamOwned<ClientConnection, TcpStream>,
}

/// The configuration of a client of this node.
///
/// # Errors
/// Of the certificates.
pub fn configuration(node: &Node, identity: &Issued, versions: TlsVersions) -> Result<ClientConfig> {
    let identity = ClientIdentity::from_pem(identity.cert_pem.as_bytes(), identity.key_pem.as_bytes())?;
    Ok(tls_config_for(identity, roots(node)?, versions)?)
}

/// The authority that clients of this node trust.
///
/// # Errors
/// Of its certificate.
pub fn roots(node: &Node) -> Result<RootCertStore> {
    Ok(roots_from_pem(&std::fs::read(node.stage.pki().join("ca.pem"))?)?)
}

/// A plain TCP connection, which waits at most half a minute for anything.
///
/// # Errors
/// Of connecting.
pub fn tcp(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The first message of a handshake, as it would go over the wire.
///
/// # Errors
/// Of the configuration.
pub fn client_hello(configuration: ClientConfig) -> Result<Vec<u8>> {
    let mut hello = Vec::new();
    let mut client = ClientConnection::new(Arc::new(configuration), ServerName::try_from(SERVER_NAME)?)?;
    while client.wants_write() {
        client.write_tls(&mut hello)?;
    }
    Ok(hello)
}

impl Socket {
    /// Connects and finishes the handshake, as far as the client can tell.
    ///
    /// # Errors
    /// Of TCP and TLS.
    pub fn open(address: SocketAddr, configuration: &Arc<ClientConfig>) -> Result<Self> {
        let client = ClientConnection::new(Arc::clone(configuration), ServerName::try_from(SERVER_NAME)?)?;
        let mut stream = StreamOwned::new(client, tcp(address)?);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self { stream })
    }

    /// What TLS knows about the connection.
    #[must_use]
    pub const fn tls(&self) -> &ClientConnection {
        &self.stream.conn
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// Of the connection.
    pub fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// One message: its header, and as much as that announces.
    ///
    /// # Errors
    /// Of the connection; an unexpected end of file where it is closed.
    pub fn receive(&mut self) -> std::io::Result<Vec<u8>> {
        let mut header = [0; 8];
        self.stream.read_exact(&mut header)?;
        let [.., a, b, c, d] = header;
        let mut message = header.to_vec();
        let len = u64::from(u32::from_be_bytes([a, b, c, d]));
        let body = u64::try_from(Read::by_ref(&mut self.stream).take(len).read_to_end(&mut message)?).unwrap_or(0);
        if body == len { Ok(message) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Everything until the server closes. An abrupt end is an end.
    ///
    /// # Errors
    /// If it does not within half a minute.
    pub fn until_closed(&mut self) -> std::io::Result<Vec<u8>> {
        let mut said = Vec::new();
        match self.stream.read_to_end(&mut said) {
            Err(error) if is_patience_lost(&error) => Err(error),
            _ => Ok(said),
        }
    }
}

/// Waits until the server closes a plain connection, and returns what it said. An abrupt end is an end.
///
/// # Errors
/// If it does not within half a minute.
pub fn until_closed(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Err(error) if is_patience_lost(&error) => Err(error),
        _ => Ok(said),
    }
}

fn is_patience_lost(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}
