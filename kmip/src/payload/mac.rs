//! MAC: the server authenticates data with a key that it holds. KMIP 1.4 §4.33.

use super::data::Data;
use crate::Tag;
use crate::attribute::{CryptographicParameters, Identifier};
use crate::wire::structure;

structure! {
    /// What to authenticate, with which key and how.
    #[derive(Debug, Default, PartialEq)]
    pub struct MacRequest {
        /// The key; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// The algorithm; absent means the key's own parameters.
        optional cryptographic_parameters: Box<CryptographicParameters> = Tag::CRYPTOGRAPHIC_PARAMETERS,
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
    /// The authentication code.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct MacResponse {
        /// The key.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The code; absent until the last part of a stream.
        optional mac_data: Vec<u8> = Tag::MAC_DATA,
        /// The stream, for its next part.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE [since V1_3],
    }
}
