//! The seam between the shell (sockets, TLS, frames, deadlines) and the node that answers requests.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::shell::peer::{Fingerprint, Identity, Peer};

/// Who is registered *now*. Asked in every handshake, so a revocation acts on the next one.
pub trait Registered: Send + Sync + 'static {
    /// The identity whose certificate has this public key, if it is registered, not revoked, and admitted on the
    /// listener that asks. Called inside a handshake: it must not block.
    fn find(&self, fingerprint: &Fingerprint) -> Option<Arc<Identity>>;
}

/// What someone without a proved identity did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StrangerKind {
    /// Connected and did not finish a handshake in time.
    SilentHandshake,
    /// Sent something that is not a TLS handshake, or broke one off with an error.
    BrokenHandshake,
    /// Presented no client certificate.
    NoCertificate,
    /// Presented a certificate whose key is not registered or no longer, or one that cannot be read.
    Unregistered,
    /// Presented a registered key in a certificate outside its validity.
    Expired,
    /// Presented a registered certificate without holding its private key.
    BadSignature,
    /// Was turned away at the door because a budget of connections was spent.
    OverBudget,
}

impl StrangerKind {
    /// Every kind, for counters.
    pub const ALL: [Self; 7] = [
        Self::SilentHandshake,
        Self::BrokenHandshake,
        Self::NoCertificate,
        Self::Unregistered,
        Self::Expired,
        Self::BadSignature,
        Self::OverBudget,
    ];

    /// The name in logs, metrics and audit records.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::SilentHandshake => "silent handshake",
            Self::BrokenHandshake => "broken handshake",
            Self::NoCertificate => "no certificate",
            Self::Unregistered => "unregistered",
            Self::Expired => "expired",
            Self::BadSignature => "bad signature",
            Self::OverBudget => "over budget",
        }
    }
}

/// Hears of every unauthenticated failure. It counts; a record for each would let strangers fill the disk.
pub trait Strangers: Send + Sync + 'static {
    /// Counts one failure. Called on the accept path: it must not block.
    fn note_stranger(&self, kind: StrangerKind, address: SocketAddr);
}

/// Why bytes from an authenticated peer are not a request message. The connection is closed after the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FrameFault {
    /// The first item is not a Request Message structure (KMIP 1.4 §9.1.1.1).
    #[error("not a request message")]
    NotARequest,
    /// The header announces more bytes than the limit.
    #[error("a message of {announced} bytes is over the limit")]
    TooLong {
        /// Bytes announced, with the header.
        announced: u64,
    },
    /// The length in the header is not a multiple of 8, so the items inside cannot fill it.
    #[error("message length {announced} is not a multiple of 8")]
    Unaligned {
        /// Bytes announced, with the header.
        announced: u64,
    },
    /// The body did not arrive in time.
    #[error("the message did not arrive in time")]
    Late,
}

/// The node, as connections see it.
#[async_trait]
pub trait KmipService: Registered + Strangers {
    /// Answers one whole TTLV message: header and body, length already checked. What is returned is sent in one
    /// write. It runs to its end even if the peer goes away; an error is an answer too.
    async fn answer(&self, peer: &Peer, frame: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>>;

    /// The error answer to bytes that are no request message, and the record of it. `start` holds what was read, 8
    /// bytes at least, for the protocol version if one can be seen there. An empty answer sends nothing.
    async fn refuse(&self, peer: &Peer, fault: FrameFault, start: &[u8]) -> Zeroizing<Vec<u8>>;
}
