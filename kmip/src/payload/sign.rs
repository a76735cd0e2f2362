//! Sign: the server signs with a private key that it holds. KMIP 1.4 §4.31.

use secret::Secret;

use super::data::Data;
use crate::Tag;
use crate::attribute::{CryptographicParameters, Identifier};
use crate::wire::structure;

structure! {
    /// What to sign, with which key and how.
    #[derive(Debug, Default, PartialEq)]
    pub struct SignRequest {
        /// The private key; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// Signature algorithm, padding, hash; absent means the key's own parameters.
        optional cryptographic_parameters: Box<CryptographicParameters> = Tag::CRYPTOGRAPHIC_PARAMETERS,
        /// The message, or a part of it.
        optional data: Data = Tag::DATA,
        /// The hash of the message, in place of the message.
        optional digested_data: Secret = Tag::DIGESTED_DATA [since V1_4],
        /// The stream this is the next part of, as the answer to the part before named it.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE [since V1_3],
        /// Whether this is the first part of a stream.
        optional init_indicator: bool = Tag::INIT_INDICATOR [since V1_3],
        /// Whether this is the last part of a stream.
        optional final_indicator: bool = Tag::FINAL_INDICATOR [since V1_3],
    }
}

structure! {
    /// The signature.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SignResponse {
        /// The private key.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The signature; absent until the last part of a stream.
        optional signature_data: Vec<u8> = Tag::SIGNATURE_DATA,
        /// The stream, for its next part.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE [since V1_3],
    }
}
