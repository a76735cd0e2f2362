//! Decrypt: the server decrypts with a key that it holds. KMIP 1.4 §4.30.

use secret::Secret;

use super::data::Data;
use crate::Tag;
use crate::attribute::{CryptographicParameters, Identifier};
use crate::wire::structure;

structure! {
    /// What to decrypt, with which key and how.
    #[derive(Debug, Default, PartialEq)]
    pub struct DecryptRequest {
        /// The key; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// Mode, padding, tag length; absent means the key's own parameters.
        optional cryptographic_parameters: Box<CryptographicParameters> = Tag::CRYPTOGRAPHIC_PARAMETERS,
        /// The ciphertext; only the last part of a stream may lack it.
        optional data: Data = Tag::DATA,
        /// Initialisation vector, counter or nonce.
        optional iv_counter_nonce: Vec<u8> = Tag::IV_COUNTER_NONCE,
        /// The stream this is the next part of, as the answer to the part before named it.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE [since V1_3],
        /// Whether this is the first part of a stream.
        optional init_indicator: bool = Tag::INIT_INDICATOR [since V1_3],
        /// Whether this is the last part of a stream.
        optional final_indicator: bool = Tag::FINAL_INDICATOR [since V1_3],
        /// What is authenticated and was not encrypted; in a stream with the first part.
        optional authenticated_encryption_additional_data: Vec<u8> =
            Tag::AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA [since V1_4],
        /// The tag to check; in a stream with the first part.
        optional authenticated_encryption_tag: Vec<u8> = Tag::AUTHENTICATED_ENCRYPTION_TAG [since V1_4],
    }
}

structure! {
    /// The plaintext.
    #[derive(Debug, PartialEq)]
    pub struct DecryptResponse {
        /// The key.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The plaintext; absent where a part of a stream fills no block.
        optional data: Secret = Tag::DATA,
        /// The stream, for its next part.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE [since V1_3],
    }
}
