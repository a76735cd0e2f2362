//! A KMIP connection for tests, which do one thing after the other: the async client, blocking.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use certs::Issued;
use kmip::ProtocolVersion;
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::payload::{RequestPayload, ResponsePayload, Verb};
use kmip_client::{Client, ClientIdentity, Limits, TlsVersions, roots_from_pem, tls_config_for};
use tokio::runtime::{Builder, Runtime};

use super::{Node, Result};
use crate::oasis::Exchange;

/// The name in the server's certificate that clients check.
const SERVER_NAME: &str = "localhost";

/// A connection.
pub struct Connection {
    client: Client,
    runtime: Runtime,
}

/// What it takes to connect, apart from the node: for threads of their own.
#[derive(Clone)]
pub struct Dial {
    address: SocketAddr,
    tls: Arc<rustls::ClientConfig>,
}

impl Dial {
    /// To this node, as this client.
    ///
    /// # Errors
    /// Of the certificates.
    pub fn to(node: &Node, identity: &Issued, versions: TlsVersions) -> Result<Self> {
        Self::at(&node.stage.pki(), node.addresses()?.kmip, identity, versions)
    }

    /// To a server with this PKI at this address, as this client.
    ///
    /// # Errors
    /// Of the certificates.
    pub fn at(pki: &Path, address: SocketAddr, identity: &Issued, versions: TlsVersions) -> Result<Self> {
        let authority = std::fs::read(pki.join("ca.pem"))?;
        let identity = ClientIdentity::from_pem(identity.cert_pem.as_bytes(), identity.key_pem.as_bytes())?;
        let tls = Arc::new(tls_config_for(identity, roots_from_pem(&authority)?, versions)?);
        Ok(Self { address, tls })
    }

    /// The same by way of another address, behind which somebody passes on what is said.
    #[must_use]
    pub fn by_way_of(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Connects.
    ///
    /// # Errors
    /// Of TCP and TLS.
    pub fn connect(&self) -> std::result::Result<Connection, kmip_client::Error> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(kmip_client::Error::Transport)?;
        let client = runtime.block_on(Client::connect_with(
            self.address,
            SERVER_NAME,
            Arc::clone(&self.tls),
            Limits::default(),
        ))?;
        Ok(Connection { client, runtime })
    }
}

impl Connection {
    /// Connects to a node as a client, with certain versions of TLS.
    ///
    /// # Errors
    /// Of TCP and TLS.
    pub fn open(node: &Node, identity: &Issued, versions: TlsVersions) -> Result<Self> {
        Ok(Dial::to(node, identity, versions)?.connect()?)
    }

    /// Sends bytes and returns the message that comes back.
    ///
    /// # Errors
    /// Of the connection.
    pub fn raw(&mut self, message: &[u8]) -> std::result::Result<Vec<u8>, kmip_client::Error> {
        self.runtime.block_on(self.client.send_raw(message)).map(|answer| answer.to_vec())
    }

    /// Sends a request and returns the answer, whatever it says.
    ///
    /// # Errors
    /// Of the connection.
    pub fn call(&mut self, request: RequestMessage) -> std::result::Result<ResponseMessage, kmip_client::Error> {
        self.runtime.block_on(self.client.call(request))
    }

    /// One operation and its own answer.
    ///
    /// # Errors
    /// Of the connection, and [`kmip_client::Error::Failed`] where the server refuses.
    pub fn request<V: Verb>(
        &mut self,
        version: ProtocolVersion,
        payload: V,
    ) -> std::result::Result<V::Response, kmip_client::Error> {
        self.runtime.block_on(self.client.request(version, payload))
    }

    /// One operation.
    ///
    /// # Errors
    /// As [`Connection::request`].
    pub fn operation(
        &mut self,
        version: ProtocolVersion,
        payload: impl Into<RequestPayload>,
    ) -> std::result::Result<ResponsePayload, kmip_client::Error> {
        self.runtime.block_on(self.client.operation(version, payload))
    }
}

impl Exchange for Connection {
    fn exchange(&mut self, request: &[u8]) -> std::result::Result<Vec<u8>, String> {
        self.raw(request).map_err(|error| error.to_string())
    }
}
