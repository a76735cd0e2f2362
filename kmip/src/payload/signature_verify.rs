//! Signature Verify: the server checks a signature with a public key that it holds. KMIP 1.4 §4.32.

use secret::Secret;

use super::data::Data;
use crate::Tag;
use crate::attribute::{CryptographicParameters, Identifier};
use crate::registry::ValidityIndicator;
use crate::wire::structure;

structure! {
    /// What to check, with which key and how.
    #[derive(Debug, Default, PartialEq)]
    pub struct SignatureVerifyRequest {
        /// The public key; absent means the ID Placeholder.
        optional unique_identifier: Identifier = Tag::UNIQUE_IDENTIFIER,
        /// Signature algorithm, padding, hash; absent means the key's own parameters.
        optional cryptographic_parameters: Box<CryptographicParameters> = Tag::CRYPTOGRAPHIC_PARAMETERS,
        /// The message, or a part of it; absent where the signature holds the message.
        optional data: Data = Tag::DATA,
        /// The hash of the message, in place of the message.
        optional digested_data: Secret = Tag::DIGESTED_DATA [since V1_4],
        /// The signature; one part of a stream has it.
        optional signature_data: Vec<u8> = Tag::SIGNATURE_DATA,
        /// The stream this is the next part of, as the answer to the part before named it.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE [since V1_3],
        /// Whether this is the first part of a stream.
        optional init_indicator: bool = Tag::INIT_INDICATOR [since V1_3],
        /// Whether this is the last part of a stream.
        optional final_indicator: bool = Tag::FINAL_INDICATOR [since V1_3],
    }
}

structure! {
    /// Whether the signature is right. A wrong one is a success of the operation.
    #[derive(Debug, PartialEq)]
    pub struct SignatureVerifyResponse {
        /// The public key.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// The verdict; absent until the last part of a stream, where the tables of 1.3 and 1.4 require it and their
        /// own test cases leave it out.
        optional validity_indicator: ValidityIndicator = Tag::VALIDITY_INDICATOR,
        /// The message that the signature holds.
        optional data: Secret = Tag::DATA,
        /// The stream, for its next part.
        optional correlation_value: Vec<u8> = Tag::CORRELATION_VALUE [since V1_3],
    }
}
