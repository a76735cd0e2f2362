//! RNG Seed: the client adds to the server's entropy. KMIP 1.4 §4.36.

use super::data::Data;
use crate::Tag;
use crate::wire::structure;

structure! {
    /// The seed.
    #[derive(Debug, PartialEq)]
    pub struct RngSeedRequest {
        /// The seeding material.
        required data: Data = Tag::DATA,
    }
}

structure! {
    /// What became of the seed.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RngSeedResponse {
        /// Bytes of the seed that were used; 0 tells that it was ignored.
        required data_length: i32 = Tag::DATA_LENGTH,
    }
}
