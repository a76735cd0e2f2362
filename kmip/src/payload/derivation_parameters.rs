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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::round_trip::round_trip;
    use crate::ttlv::DecodeErrorKind;

    fn with_data(count: u8) -> DerivationParameters {
        let derivation_data = (0..count).map(|byte| Secret::copy_from(&[byte])).collect();
        DerivationParameters { derivation_data, ..DerivationParameters::default() }
    }

    #[test]
    fn one_version_has_one_piece_of_data_another_several() {
        let aws = with_data(3);
        assert_eq!(round_trip(&aws, ProtocolVersion::V2_0).unwrap().0, aws);
        assert!(aws.known_in(ProtocolVersion::V2_0) && !aws.known_in(ProtocolVersion::V1_4));
        let refused = round_trip(&aws, ProtocolVersion::V1_4).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::TooMany { what: "Derivation Data", limit: 1 });
        for version in ProtocolVersion::ALL {
            assert_eq!(round_trip(&with_data(1), version).unwrap().0, with_data(1));
            assert_eq!(round_trip(&with_data(0), version).unwrap().0, with_data(0));
        }
    }

    #[test]
    fn debug_shows_no_byte_of_the_data() {
        let text = format!("{:?}", with_data(1));
        assert!(text.contains("derivation_data: [Secret(1 bytes)]"), "{text}");
    }
}
