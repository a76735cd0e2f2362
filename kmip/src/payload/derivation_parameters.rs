//! Derivation Parameters: what a derivation method needs besides the key. KMIP 1.4 §4.6, 2.1 §7.12.

use secret::Secret;

use crate::attribute::CryptographicParameters;
use crate::limits::MAX_DERIVATION_DATA;
use crate::ttlv::{DecodeError, Wire, Writer};
use crate::wire::{Fields, Part, structure};
use crate::{ProtocolVersion, Tag};

structure! {
    /// Derivation Parameters. Which of them a method needs is the server's to check.
    #[derive(Debug, Default, PartialEq)]
    pub struct DerivationParameters {
        /// The pseudo-random function, or the cipher's mode.
        optional cryptographic_parameters: Box<CryptographicParameters> = Tag::CRYPTOGRAPHIC_PARAMETERS,
        /// Initialisation vector; absent means an empty one.
        optional initialization_vector: Vec<u8> = Tag::INITIALIZATION_VECTOR,
        /// What is encrypted, hashed or authenticated, and which may be a secret that two parties share. More than
        /// one since 2.0: date, region and service of the AWS method.
        part derivation_data: Vec<Secret> = DerivationData,
        /// Salt of PBKDF2 and HKDF.
        optional salt: Vec<u8> = Tag::SALT,
        /// Rounds of PBKDF2.
        optional iteration_count: i32 = Tag::ITERATION_COUNT,
    }
}

/// The derivation data: one item in 1.x, up to [`MAX_DERIVATION_DATA`] since 2.0.
pub struct DerivationData;

impl DerivationData {
    fn limit(version: ProtocolVersion) -> usize {
        if version < ProtocolVersion::V2_0 { 1 } else { MAX_DERIVATION_DATA }
    }
}

impl Part<Vec<Secret>> for DerivationData {
    fn takes(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::DERIVATION_DATA
    }

    fn known_in(data: &Vec<Secret>, version: ProtocolVersion) -> bool {
        // Leaving some out would derive another key.
        data.len() <= Self::limit(version)
    }

    fn encode(data: &Vec<Secret>, w: &mut Writer) {
        for item in data {
            item.encode(Tag::DERIVATION_DATA, w);
        }
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Vec<Secret>, DecodeError> {
        let limit = Self::limit(fields.version());
        fields.repeated_by(Tag::DERIVATION_DATA, limit, Secret::decode)
    }
}
