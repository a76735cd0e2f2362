//! Ping: is the server alive? KMIP 2.1 §6.1.36.

use super::empty::empty;

empty! {
    /// The question.
    pub struct PingRequest;

    /// The server is alive.
    pub struct PingResponse;
}
