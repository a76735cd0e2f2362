//! A key and what is closest to it: format, algorithm, length, wrapping. KMIP 1.4 §2.1.3, 2.1 §3.1.

use secret::Secret;

use super::{KeyMaterial, KeyValue, KeyWrappingData};
use crate::registry::{CryptographicAlgorithm, KeyCompressionType, KeyFormatType};
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, Wire, Writer};
use crate::wire::Fields;
use crate::{ProtocolVersion, Tag};

/// Key Block. KMIP 1.4 §2.1.3, 2.1 §3.1.
#[derive(Debug, PartialEq)]
pub struct KeyBlock {
    /// How the key material is encoded.
    pub format: KeyFormatType,
    /// How an elliptic curve public key is compressed.
    pub compression: Option<KeyCompressionType>,
    /// The key; a server that holds only the metadata leaves it out, since 1.2.
    pub value: Option<KeyValue>,
    /// The algorithm; Secret Data has none.
    pub algorithm: Option<CryptographicAlgorithm>,
    /// Length in bits; Secret Data has none.
    pub length: Option<i32>,
    /// How the value is wrapped, if it is.
    pub wrapping: Option<Box<KeyWrappingData>>,
}

impl KeyBlock {
    /// A key in clear, without attributes of its own. `format` has to be one of [`KeyMaterial::formats`].
    #[must_use]
    pub const fn new(
        format: KeyFormatType,
        material: KeyMaterial,
        algorithm: Option<CryptographicAlgorithm>,
        length_bits: Option<i32>,
    ) -> Self {
        Self {
            format,
            compression: None,
            value: Some(KeyValue::Plain { material, attributes: Vec::new() }),
            algorithm,
            length: length_bits,
            wrapping: None,
        }
    }

    /// A key in format Raw.
    #[must_use]
    pub const fn raw(key: Secret, algorithm: CryptographicAlgorithm, length_bits: i32) -> Self {
        Self::new(KeyFormatType::Raw, KeyMaterial::Bytes(key), Some(algorithm), Some(length_bits))
    }

    /// Bytes in a format that is a Byte String, with neither algorithm nor length: Secret Data.
    #[must_use]
    pub const fn without_algorithm(format: KeyFormatType, bytes: Secret) -> Self {
        Self::new(format, KeyMaterial::Bytes(bytes), None, None)
    }

    /// The Key Material; `None` where the Key Value is a Byte String or absent.
    ///
    /// Where the block [is wrapped](KeyBlock::is_wrapped) it is the key material that is wrapped, not the key.
    #[must_use]
    pub const fn material(&self) -> Option<&KeyMaterial> {
        match &self.value {
            Some(KeyValue::Plain { material, .. }) => Some(material),
            _ => None,
        }
    }

    /// Whether the key is encrypted, authenticated or both, by a key named in the Key Wrapping Data.
    #[must_use]
    pub const fn is_wrapped(&self) -> bool {
        self.wrapping.is_some()
    }

    /// Lends `digest` the bytes that a Digest is taken over, see [`KeyMaterial::with_digest_input`]; the bytes of
    /// PKCS#12, and of a key that is wrapped, as they stand in the message. `None` where the key is absent.
    pub fn with_digest_input<T>(&self, digest: impl FnOnce(&[u8]) -> T) -> Option<T> {
        match self.value.as_ref()? {
            KeyValue::Plain { material, .. } => Some(material.with_digest_input(digest)),
            KeyValue::Wrapped(bytes) => Some(digest(bytes.expose())),
        }
    }

    fn is_field(tag: Tag, _version: ProtocolVersion) -> bool {
        [
            Tag::KEY_FORMAT_TYPE,
            Tag::KEY_COMPRESSION_TYPE,
            Tag::KEY_VALUE,
            Tag::CRYPTOGRAPHIC_ALGORITHM,
            Tag::CRYPTOGRAPHIC_LENGTH,
            Tag::KEY_WRAPPING_DATA,
        ]
        .contains(&tag)
    }

    /// What the standard says of fields together.
    fn check(&self, item: &Item<'_>) -> Result<(), DecodeError> {
        let missing = |tag| Err(item.error(DecodeErrorKind::MissingField(tag)));
        match &self.value {
            // PKCS#12 protects itself with a password: nobody's key wrapped it (case TC-PKCS12-2-14).
            Some(KeyValue::Wrapped(_)) if self.wrapping.is_none() && self.format != KeyFormatType::Pkcs12 => {
                missing(Tag::KEY_WRAPPING_DATA)
            }
            None if !may_lack_value(item.version()) => missing(Tag::KEY_VALUE),
            _ => Ok(()),
        }
    }
}

/// Whether a Key Block of `version` may come without Key Value: since 1.2, for keys that the server only knows of.
fn may_lack_value(version: ProtocolVersion) -> bool {
    version >= ProtocolVersion::V1_2
}

impl Wire for KeyBlock {
    fn encode(&self, tag: Tag, w: &mut Writer) {
        w.structure(tag, |w| {
            self.format.encode(Tag::KEY_FORMAT_TYPE, w);
            if let Some(compression) = &self.compression {
                compression.encode(Tag::KEY_COMPRESSION_TYPE, w);
            }
            if let Some(value) = &self.value {
                value.encode(w);
            }
            if let Some(algorithm) = &self.algorithm {
                algorithm.encode(Tag::CRYPTOGRAPHIC_ALGORITHM, w);
            }
            if let Some(length) = self.length {
                w.integer(Tag::CRYPTOGRAPHIC_LENGTH, length);
            }
            if let Some(wrapping) = &self.wrapping {
                wrapping.encode(Tag::KEY_WRAPPING_DATA, w);
            }
        });
    }

    fn decode(item: &Item<'_>) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(item.structure()?, Self::is_field);
        let format_item = fields.require(Tag::KEY_FORMAT_TYPE)?;
        let format = KeyFormatType::decode(&format_item)?;
        if !format.known_in(item.version()) {
            // A peer that names it could not be told of its key again.
            return Err(format_item.error(DecodeErrorKind::UnsupportedKeyFormat(format)));
        }
        let block = Self {
            format,
            compression: fields.optional(Tag::KEY_COMPRESSION_TYPE)?,
            value: fields.take(Tag::KEY_VALUE)?.map(|value| KeyValue::decode(&value, format)).transpose()?,
            algorithm: fields.optional(Tag::CRYPTOGRAPHIC_ALGORITHM)?,
            length: fields.optional(Tag::CRYPTOGRAPHIC_LENGTH)?,
            wrapping: fields.optional(Tag::KEY_WRAPPING_DATA)?,
        };
        fields.finish()?;
        block.check(item)?;
        Ok(block)
    }

    fn known_in(&self, version: ProtocolVersion) -> bool {
        // Every field describes the key: leaving one out would describe another key.
        self.format.known_in(version)
            && self.compression.is_none_or(|compression| compression.known_in(version))
            && self.value.as_ref().map_or_else(|| may_lack_value(version), |value| value.known_in(version))
            && self.algorithm.is_none_or(|algorithm| algorithm.known_in(version))
            && self.wrapping.as_ref().is_none_or(|wrapping| wrapping.is_whole_in(version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{ManagedObject, SymmetricKey};
    use crate::registry::{EncodingOption, WrappingMethod};
    use crate::ttlv::Reader;

    fn read(write: impl FnOnce(&mut Writer)) -> Result<KeyBlock, DecodeError> {
        let mut w = Writer::new(ProtocolVersion::V1_4);
        w.structure(Tag::KEY_BLOCK, write);
        let bytes = w.finish();
        let item = Reader::new(&bytes, ProtocolVersion::V1_4).next_item()?.unwrap();
        KeyBlock::decode(&item)
    }

    fn wrapping() -> KeyWrappingData {
        KeyWrappingData {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: None,
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: Some(vec![1; 12]),
            encoding_option: Some(EncodingOption::NoEncoding),
        }
    }

    #[test]
    fn a_wrapped_value_says_how_it_is_wrapped() {
        let wrapped = |described: bool| {
            read(|w| {
                KeyFormatType::Raw.encode(Tag::KEY_FORMAT_TYPE, w);
                w.bytes(Tag::KEY_VALUE, &[7; 40]);
                if described {
                    wrapping().encode(Tag::KEY_WRAPPING_DATA, w);
                }
            })
        };
        let block = wrapped(true).unwrap();
        assert_eq!(block.value, Some(KeyValue::Wrapped(Secret::copy_from(&[7; 40]))));
        assert!(block.material().is_none());
        assert_eq!(wrapped(false).unwrap_err().kind, DecodeErrorKind::MissingField(Tag::KEY_WRAPPING_DATA));
    }

    #[test]
    fn a_transparent_key_is_a_structure_and_comes_back_as_one() {
        let block = read(|w| {
            KeyFormatType::TransparentSymmetricKey.encode(Tag::KEY_FORMAT_TYPE, w);
            w.structure(Tag::KEY_VALUE, |w| w.structure(Tag::KEY_MATERIAL, |w| w.bytes(Tag::KEY, &[1, 2, 3])));
        })
        .unwrap();
        assert_eq!(block.material(), Some(&KeyMaterial::TransparentSymmetric(Secret::copy_from(&[1, 2, 3]))));
        let object = ManagedObject::SymmetricKey(SymmetricKey { key_block: block });
        assert_eq!(ManagedObject::from_canonical(object.to_canonical().expose()).unwrap(), object);
    }

    #[test]
    fn pkcs12_protects_itself() {
        let file = |format: KeyFormatType| {
            read(|w| {
                format.encode(Tag::KEY_FORMAT_TYPE, w);
                w.bytes(Tag::KEY_VALUE, &[0x30; 40]);
            })
        };
        let block = file(KeyFormatType::Pkcs12).unwrap();
        assert!(!block.is_wrapped() && block.material().is_none());
        assert_eq!(block.with_digest_input(<[u8]>::to_vec), Some(vec![0x30; 40]));
        let refused = file(KeyFormatType::Pkcs8).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::MissingField(Tag::KEY_WRAPPING_DATA));
    }

    #[test]
    fn bytes_inside_a_structure_may_be_wrapped_too() {
        let block = read(|w| {
            KeyFormatType::Raw.encode(Tag::KEY_FORMAT_TYPE, w);
            w.structure(Tag::KEY_VALUE, |w| w.bytes(Tag::KEY_MATERIAL, &[7; 24]));
            wrapping().encode(Tag::KEY_WRAPPING_DATA, w);
        })
        .unwrap();
        assert!(block.is_wrapped() && block.material().is_some());
    }

    #[test]
    fn a_key_may_be_absent_since_1_2() {
        let metadata = |version| {
            let mut w = Writer::new(version);
            w.structure(Tag::KEY_BLOCK, |w| KeyFormatType::Raw.encode(Tag::KEY_FORMAT_TYPE, w));
            let bytes = w.finish();
            KeyBlock::decode(&Reader::new(&bytes, version).next_item().unwrap().unwrap())
        };
        let block = metadata(ProtocolVersion::V1_2).unwrap();
        assert_eq!((block.value.is_none(), block.with_digest_input(<[u8]>::len)), (true, None));
        assert!(block.known_in(ProtocolVersion::V1_2) && !block.known_in(ProtocolVersion::V1_1));
        let refused = metadata(ProtocolVersion::V1_1).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::MissingField(Tag::KEY_VALUE));
    }

    #[test]
    fn a_format_that_the_version_does_not_know_is_refused_by_name() {
        let refused = read(|w| KeyFormatType::Pkcs10.encode(Tag::KEY_FORMAT_TYPE, w)).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::UnsupportedKeyFormat(KeyFormatType::Pkcs10));
        assert_eq!(refused.to_string(), "key format PKCS#10 is not supported at byte 8");
    }

    #[test]
    fn a_byte_format_with_a_structure_is_refused() {
        let refused = read(|w| {
            KeyFormatType::Raw.encode(Tag::KEY_FORMAT_TYPE, w);
            w.structure(Tag::KEY_VALUE, |w| w.structure(Tag::KEY_MATERIAL, |w| w.bytes(Tag::KEY, &[1; 32])));
        })
        .unwrap_err();
        assert!(matches!(refused.kind, DecodeErrorKind::WrongType { tag: Tag::KEY_MATERIAL, .. }));
    }

    #[test]
    fn a_transparent_format_with_bare_bytes_is_refused() {
        let refused = read(|w| {
            KeyFormatType::TransparentSymmetricKey.encode(Tag::KEY_FORMAT_TYPE, w);
            w.structure(Tag::KEY_VALUE, |w| w.bytes(Tag::KEY_MATERIAL, &[1; 32]));
        })
        .unwrap_err();
        assert!(matches!(refused.kind, DecodeErrorKind::WrongType { tag: Tag::KEY_MATERIAL, .. }));
    }

    #[test]
    fn a_key_of_an_algorithm_that_the_version_does_not_know_cannot_be_told() {
        let key = |algorithm| KeyBlock::raw(Secret::copy_from(&[1; 32]), algorithm, 256);
        assert!(key(CryptographicAlgorithm::Aes).known_in(ProtocolVersion::V1_0));
        assert!(!key(CryptographicAlgorithm::ChaCha20).known_in(ProtocolVersion::V1_3));
        assert!(key(CryptographicAlgorithm::ChaCha20).known_in(ProtocolVersion::V1_4));
    }
}
