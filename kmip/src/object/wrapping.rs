//! How a key is, or shall be, wrapped. KMIP 1.4 §2.1.5, §2.1.6.

use crate::Tag;
use crate::attribute::{AttributeNames, CryptographicParameters};
use crate::registry::{EncodingOption, WrappingMethod};
use crate::wire::structure;

structure! {
    /// The key that encrypts. KMIP 1.4 §2.1.5.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct EncryptionKeyInformation {
        /// The key's identifier.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// How it encrypts; absent means the key's own parameters.
        optional cryptographic_parameters: Box<CryptographicParameters> = Tag::CRYPTOGRAPHIC_PARAMETERS,
    }
}

structure! {
    /// The key that authenticates. KMIP 1.4 §2.1.5.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct MacSignatureKeyInformation {
        /// The key's identifier.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// How it authenticates; absent means the key's own parameters.
        optional cryptographic_parameters: Box<CryptographicParameters> = Tag::CRYPTOGRAPHIC_PARAMETERS,
    }
}

structure! {
    /// How a key value is wrapped. KMIP 1.4 §2.1.5.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct KeyWrappingData {
        /// Encryption, authentication, or both in an order.
        required wrapping_method: WrappingMethod = Tag::WRAPPING_METHOD,
        /// The key that encrypted.
        optional encryption_key_information: EncryptionKeyInformation = Tag::ENCRYPTION_KEY_INFORMATION,
        /// The key that authenticated.
        optional mac_signature_key_information: MacSignatureKeyInformation = Tag::MAC_SIGNATURE_KEY_INFORMATION,
        /// The MAC or signature.
        optional mac_signature: Vec<u8> = Tag::MAC_SIGNATURE,
        /// Initialisation vector, counter or nonce.
        optional iv_counter_nonce: Vec<u8> = Tag::IV_COUNTER_NONCE,
        /// What was wrapped: the Key Value as TTLV, or the bare key bytes.
        optional encoding_option: EncodingOption = Tag::ENCODING_OPTION [since V1_1],
    }
}

structure! {
    /// How a key value shall be wrapped before it is returned. KMIP 1.4 §2.1.6.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct KeyWrappingSpecification {
        /// Encryption, authentication, or both in an order.
        required wrapping_method: WrappingMethod = Tag::WRAPPING_METHOD,
        /// The key to encrypt with.
        optional encryption_key_information: EncryptionKeyInformation = Tag::ENCRYPTION_KEY_INFORMATION,
        /// The key to authenticate with.
        optional mac_signature_key_information: MacSignatureKeyInformation = Tag::MAC_SIGNATURE_KEY_INFORMATION,
        /// Attributes to be wrapped with the key.
        part attribute_names: Vec<String> = AttributeNames,
        /// What is to be wrapped: the Key Value as TTLV, or the bare key bytes.
        optional encoding_option: EncodingOption = Tag::ENCODING_OPTION [since V1_1],
    }
}
