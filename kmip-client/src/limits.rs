//! Limits of a client, each with its reason.

use std::time::Duration;

/// A connection, TCP and TLS together. A server that is up answers within milliseconds; a zone that is gone should not
/// keep the caller from trying the next one.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// One request and its answer. Longer than any deadline inside the server, so that the server's own error arrives.
pub const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// The longest answer, in bytes with its header: the server's largest object and room for its attributes.
pub const MAX_RESPONSE_LEN: usize = (1 << 20) + (64 << 10);

/// What one connection waits for, and how much it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For TCP and TLS handshake together.
    pub connect: Duration,
    /// From the first byte of a request to the last of its answer.
    pub call: Duration,
    /// The longest answer, in bytes with its header.
    pub response_len: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: CONNECT_DEADLINE, call: CALL_DEADLINE, response_len: MAX_RESPONSE_LEN }
    }
}
