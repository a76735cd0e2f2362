//! How a key is, or shall be, wrapped. KMIP 1.4 §2.1.5, §2.1.6, 2.1 §3.3, §7.18.

use crate::attribute::CryptographicParameters;
use crate::limits::MAX_ATTRIBUTES;
use crate::registry::{EncodingOption, WrappingMethod};
use crate::ttlv::{DecodeError, Wire, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

structure! {
    /// The key that encrypts. KMIP 1.4 §2.1.5, 2.1 §3.3.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct EncryptionKeyInformation {
        /// The key's identifier.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// How it encrypts; absent means the key's own parameters.
        optional cryptographic_parameters: Box<CryptographicParameters> = Tag::CRYPTOGRAPHIC_PARAMETERS,
    }
}

structure! {
    /// The key that authenticates. KMIP 1.4 §2.1.5, 2.1 §3.3.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct MacSignatureKeyInformation {
        /// The key's identifier.
        required unique_identifier: String = Tag::UNIQUE_IDENTIFIER,
        /// How it authenticates; absent means the key's own parameters.
        optional cryptographic_parameters: Box<CryptographicParameters> = Tag::CRYPTOGRAPHIC_PARAMETERS,
    }
}

structure! {
    /// How a key value is wrapped. KMIP 1.4 §2.1.5, 2.1 §3.3.
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
        /// What was wrapped: the Key Value as TTLV, or the bare key bytes; absent means TTLV.
        optional encoding_option: EncodingOption = Tag::ENCODING_OPTION [since V1_1],
    }
}

impl KeyWrappingData {
    /// What was wrapped, the default of the standard included.
    #[must_use]
    pub fn encoding(&self) -> EncodingOption {
        self.encoding_option.unwrap_or(EncodingOption::TtlvEncoding)
    }

    /// Whether a peer of `version` can be told all of it. Who unwraps a key needs every parameter.
    pub(super) fn is_whole_in(&self, version: ProtocolVersion) -> bool {
        // To say the default is to say nothing new, so 1.0 may be spared it.
        let encoding_option = self.encoding_option.filter(|option| *option != EncodingOption::TtlvEncoding);
        let data = Self { encoding_option, ..self.clone() };
        let told = |version| {
            let mut w = Writer::new(version);
            data.encode(Tag::KEY_WRAPPING_DATA, &mut w);
            w.finish()
        };
        data.known_in(version) && told(version) == told(ProtocolVersion::EVERY)
    }
}

/// Names of attributes to be wrapped: Attribute Name in every version. Attribute Reference, which took its place
/// elsewhere in 2.0, did not come here (KMIP 2.1 §7.18).
pub struct WrappedAttributeNames;

impl Part<Vec<String>> for WrappedAttributeNames {
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::ATTRIBUTE_NAME
    }

    fn encode(names: &Vec<String>, w: &mut Writer) {
        for name in names {
            w.text(Tag::ATTRIBUTE_NAME, name);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<String>, DecodeError> {
        fields.repeated_by(Tag::ATTRIBUTE_NAME, MAX_ATTRIBUTES, String::decode)
    }
}

structure! {
    /// How a key value shall be wrapped before it is returned. KMIP 1.4 §2.1.6, 2.1 §7.18.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct KeyWrappingSpecification {
        /// Encryption, authentication, or both in an order.
        required wrapping_method: WrappingMethod = Tag::WRAPPING_METHOD,
        /// The key to encrypt with.
        optional encryption_key_information: EncryptionKeyInformation = Tag::ENCRYPTION_KEY_INFORMATION,
        /// The key to authenticate with.
        optional mac_signature_key_information: MacSignatureKeyInformation = Tag::MAC_SIGNATURE_KEY_INFORMATION,
        /// Attributes to be wrapped with the key.
        part attribute_names: Vec<String> = WrappedAttributeNames,
        /// What is to be wrapped: the Key Value as TTLV, or the bare key bytes; absent means TTLV.
        optional encoding_option: EncodingOption = Tag::ENCODING_OPTION [since V1_1],
    }
}

impl KeyWrappingSpecification {
    /// What is to be wrapped, the default of the standard included.
    #[must_use]
    pub fn encoding(&self) -> EncodingOption {
        self.encoding_option.unwrap_or(EncodingOption::TtlvEncoding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::BlockCipherMode;

    #[test]
    fn a_wrapping_is_told_whole_or_not_at_all() {
        let with = |encoding_option, parameters| KeyWrappingData {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(EncryptionKeyInformation {
                unique_identifier: "kek".into(),
                cryptographic_parameters: Some(Box::new(parameters)),
            }),
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: None,
            encoding_option,
        };
        let block_cipher_mode = Some(BlockCipherMode::NistKeyWrap);
        let old = CryptographicParameters { block_cipher_mode, ..CryptographicParameters::default() };
        assert!(with(None, old.clone()).is_whole_in(ProtocolVersion::V1_0));
        // 1.0 has no Encoding Option: what it wraps is always TTLV.
        assert!(with(Some(EncodingOption::TtlvEncoding), old.clone()).is_whole_in(ProtocolVersion::V1_0));
        assert!(!with(Some(EncodingOption::NoEncoding), old.clone()).is_whole_in(ProtocolVersion::V1_0));
        assert!(with(Some(EncodingOption::NoEncoding), old.clone()).is_whole_in(ProtocolVersion::V1_1));
        let new = CryptographicParameters { tag_length: Some(128), ..old };
        assert!(!with(None, new.clone()).is_whole_in(ProtocolVersion::V1_1));
        assert!(with(None, new).is_whole_in(ProtocolVersion::V1_2));
    }
}
