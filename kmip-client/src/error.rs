//! What can go wrong between a client and a server.

use std::io;

use kmip::message::EncodeError;
use kmip::registry::{ResultReason, ResultStatus};
use kmip::ttlv::DecodeError;
use thiserror::Error;

/// A call that did not give what was asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The certificate, the key or the server's name cannot be used.
    #[error("TLS configuration")]
    Tls(#[source] rustls::Error),
    /// Certificate or key is not PEM.
    #[error("PEM")]
    Pem(#[source] rustls_pki_types::pem::Error),
    /// No connection, or it broke. The request may have been carried out.
    #[error("connection")]
    Transport(#[source] io::Error),
    /// A deadline passed. The request may have been carried out.
    #[error("no answer within the deadline of {phase}")]
    Deadline {
        /// `connect` or `call`.
        phase: &'static str,
    },
    /// An earlier call was given up or failed half way, so answers no longer belong to requests.
    #[error("connection is no longer usable after an earlier failure")]
    Broken,
    /// The answer is longer than the limit.
    #[error("answer of {announced} bytes is over the limit of {limit}")]
    TooLong {
        /// Bytes with the header.
        announced: u64,
        /// Bytes.
        limit: usize,
    },
    /// The request cannot be written in its version.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The answer is not a response message.
    #[error("answer")]
    Decode(#[from] DecodeError),
    /// The answer is a response message, but not to this request.
    #[error("answer does not fit the request: {0}")]
    Mismatch(&'static str),
    /// The server says no.
    #[error("{status}: {reason}{}{message}", if message.is_empty() { "" } else { ": " })]
    Failed {
        /// Operation Failed, Undone or Pending.
        status: ResultStatus,
        /// The kind of failure; General Failure where the server gives none.
        reason: ResultReason,
        /// The server's words; may be empty.
        message: String,
    },
}

impl Error {
    /// The alert with which the peer ended TLS: what a refused client certificate looks like. With TLS 1.3 it arrives
    /// only at the first call.
    #[must_use]
    pub fn alert(&self) -> Option<rustls::AlertDescription> {
        let Self::Transport(error) = self else { return None };
        match error.get_ref()?.downcast_ref::<rustls::Error>()? {
            rustls::Error::AlertReceived(alert) => Some(*alert),
            _ => None,
        }
    }

    /// The server's reason, if it answered.
    #[must_use]
    pub const fn reason(&self) -> Option<ResultReason> {
        match self {
            Self::Failed { reason, .. } => Some(*reason),
            _ => None,
        }
    }
}
