//! What can go wrong, on the wire and before it: one table of codes for server and client.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The body of every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The only field, so that a client can tell this body from any other.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// For programs.
    pub code: ErrorCode,
    /// One sentence for people. It never holds what a stranger sent.
    pub message: String,
}

/// Why the server did not do as asked. The text form is `snake_case` and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request cannot be understood or a value is outside its range.
    BadRequest,
    /// The certificate belongs to no administrator.
    Unauthenticated,
    /// The administrator's role does not allow it.
    Forbidden,
    /// No such path, domain, client or object.
    NotFound,
    /// The path exists, for another method.
    MethodNotAllowed,
    /// It exists already, or was changed at the same time.
    Conflict,
    /// The state of the object or domain does not allow it.
    WrongState,
    /// The request is larger than the server reads.
    TooLarge,
    /// The request did not arrive in time.
    Timeout,
    /// The node is busy, stopping, or has no HSM; the same request may succeed later.
    Unavailable,
    /// A fault of the server; its log says more.
    Internal,
    /// A code that this version does not know.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// Every code that a server may send.
    pub const ALL: [Self; 11] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::WrongState,
        Self::TooLarge,
        Self::Timeout,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The HTTP status that goes with it (RFC 9110 §15).
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::Conflict | Self::WrongState => 409,
            Self::TooLarge => 413,
            Self::Unavailable => 503,
            Self::Internal | Self::Unknown => 500,
        }
    }

    /// The code as it stands in the JSON.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict => "conflict",
            Self::WrongState => "wrong_state",
            Self::TooLarge => "too_large",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a call of the client brought no result.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The address, a certificate or the key given to the client cannot be used.
    #[error("{0}")]
    Configuration(String),
    /// Nobody answers there, or the connection broke off.
    #[error("server cannot be reached: {0}")]
    Unreachable(String),
    /// A deadline passed; a change may have happened or not.
    #[error("no answer in time ({0})")]
    Deadline(String),
    /// What answers there did not prove to be the server.
    #[error("server is not trusted: {0}")]
    ServerNotTrusted(String),
    /// The server ended the handshake over the client's certificate.
    #[error("certificate was refused: {0}")]
    CertificateRefused(String),
    /// The server answered that it does not do it.
    #[error("{} ({})", detail.message, detail.code.text())]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Code and message.
        detail: ErrorDetail,
    },
    /// The answer is not one of this API.
    #[error("unexpected answer: {0}")]
    Answer(String),
    /// What was exported could not be written.
    #[error("cannot write: {0}")]
    Write(#[source] std::io::Error),
}

impl ClientError {
    /// The code of a refusal; nothing where the server did not speak.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { detail, .. } => Some(detail.code),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_written_as_its_text_and_read_back() {
        for code in ErrorCode::ALL {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.text()));
            assert_eq!(serde_json::from_str::<ErrorCode>(&json).unwrap(), code);
            assert!((400..600).contains(&code.status()));
        }
        assert_eq!(serde_json::from_str::<ErrorCode>("\"a_later_one\"").unwrap(), ErrorCode::Unknown);
    }
}
