//! Hash: the server hashes data. KMIP 1.4 §4.37.

use super::data::Data;
use crate::Tag;
use crate::attribute::CryptographicParameters;
use crate::wire::structure;

structure! {
    /// What to hash, and how.
    #[derive(Debug, PartialEq)]
    pub struct HashRequest {
        /// The hash function, as Hashing Algorithm; every part of a stream repeats it.
        required cryptographic_parameters: Box<CryptographicParameters> = Tag::CRYPTOGRAPHIC_PARAMETERS,
        /// The message, or a part of it.
        optional data: Data = Tag::DATA,
        /// The stream this is the next part of, as the answer to the part before named it.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE [since V1_3],
        /// Whether this is the first part of a stream.
        optional init_indicator: bool = Tag::INIT_INDICATOR [since V1_3],
        /// Whether this is the last part of a stream.
        optional final_indicator: bool = Tag::FINAL_INDICATOR [since V1_3],
    }
}

structure! {
    /// The hash.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct HashResponse {
        /// The hash; absent until the last part of a stream.
        optional data: Vec<u8> = Tag::DATA,
        /// The stream, for its next part.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE [since V1_3],
    }
}
