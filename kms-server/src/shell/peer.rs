//! Who is at the other end: an identity, proved by a handshake, on one connection.

use std::net::SocketAddr;
use std::sync::Arc;

use secret::DomainId;

/// SHA-256 of a certificate's DER SubjectPublicKeyInfo.
pub type Fingerprint = [u8; 32];

/// A registered certificate and the one domain it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Of the registered certificate's public key.
    pub fingerprint: Fingerprint,
    /// The domain it belongs to; administrators belong to the system domain.
    pub domain: DomainId,
    /// The name it was registered under, for people; it decides nothing.
    pub name: String,
    /// What it may speak.
    pub kind: IdentityKind,
}

/// Which of the two listeners an identity is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityKind {
    /// A KMIP client.
    Client,
    /// An administrator; never admitted on the KMIP port.
    Admin {
        /// `operator`, `officer` or `auditor`.
        role: String,
    },
}

/// One authenticated connection. What it may do is looked up anew at each request.
#[derive(Clone, Debug)]
pub struct Peer {
    /// SHA-256 of the SubjectPublicKeyInfo that the peer proved to hold the private key of.
    pub fingerprint: Fingerprint,
    /// The identity as it stood when the connection was made.
    pub identity: Arc<Identity>,
    /// Where the connection comes from.
    pub address: SocketAddr,
    /// Number of the connection in this process, from 1.
    pub connection: u64,
    /// Last second in which the presented certificate is valid, since the epoch. A connection does not outlive it.
    pub not_after: i64,
}
