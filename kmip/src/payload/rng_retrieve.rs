//! RNG Retrieve: random bytes of the server. KMIP 1.4 §4.35.

use secret::Secret;

use crate::Tag;
use crate::wire::structure;

structure! {
    /// How many bytes are wanted.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RngRetrieveRequest {
        /// Number of bytes; a server refuses what is negative or over its limit.
        required data_length: i32 = Tag::DATA_LENGTH,
    }
}

structure! {
    /// The random bytes.
    #[derive(Debug, PartialEq)]
    pub struct RngRetrieveResponse {
        /// As many bytes as were wanted; the client may make a key of them.
        required data: Secret = Tag::DATA,
    }
}
