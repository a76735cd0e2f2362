//! A key and what is closest to it: format, algorithm, length, wrapping. KMIP 1.4 §2.1.3, §2.1.4, §2.1.7.

use secret::Secret;

use super::KeyWrappingData;
use crate::attribute::{Attribute, AttributeList};
use crate::registry::{CryptographicAlgorithm, KeyCompressionType, KeyFormatType};
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, ItemType, Wire, Writer};
use crate::wire::{Fields, Part};
use crate::{ProtocolVersion, Tag};

/// Key Block. KMIP 1.4 §2.1.3.
#[derive(Debug, PartialEq)]
pub struct KeyBlock {
    /// How the key material is encoded.
    pub format: KeyFormatType,
    /// How an elliptic curve public key is compressed.
    pub compression: Option<KeyCompressionType>,
    /// The key; a server that holds only the metadata leaves it out.
    pub value: Option<KeyValue>,
    /// The algorithm; Secret Data has none.
    pub algorithm: Option<CryptographicAlgorithm>,
    /// Length in bits; Secret Data has none.
    pub length: Option<i32>,
    /// How the value is wrapped, if it is.
    pub wrapping: Option<Box<KeyWrappingData>>,
}

/// Key Value. KMIP 1.4 §2.1.4.
#[derive(Debug, PartialEq)]
pub enum KeyValue {
    /// In clear.
    Plain {
        /// The key.
        material: KeyMaterial,
        /// Attributes that travel with the key.
        attributes: Vec<Attribute>,
    },
    /// Wrapped: the bytes as they came out of the wrapping method.
    Wrapped(Secret),
}

/// Key Material. KMIP 1.4 §2.1.4, §2.1.7.1.
#[derive(Debug, PartialEq)]
pub enum KeyMaterial {
    /// A Byte String: Raw, Opaque and the ASN.1 formats.
    Bytes(Secret),
    /// The structure of format Transparent Symmetric Key.
    TransparentSymmetric(Secret),
}

impl KeyMaterial {
    /// The key bytes, whatever the form.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        match self {
            Self::Bytes(secret) | Self::TransparentSymmetric(secret) => secret,
        }
    }

    /// The key bytes, whatever the form.
    #[must_use]
    pub fn into_secret(self) -> Secret {
        match self {
            Self::Bytes(secret) | Self::TransparentSymmetric(secret) => secret,
        }
    }
}

impl KeyBlock {
    /// A key in format Raw.
    #[must_use]
    pub fn raw(key: Secret, algorithm: CryptographicAlgorithm, length_bits: i32) -> Self {
        Self {
            algorithm: Some(algorithm),
            length: Some(length_bits),
            ..Self::without_algorithm(KeyFormatType::Raw, key)
        }
    }

    /// Bytes in a format that is a Byte String, with neither algorithm nor length: Secret Data.
    #[must_use]
    pub const fn without_algorithm(format: KeyFormatType, bytes: Secret) -> Self {
        Self {
            format,
            compression: None,
            value: Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), attributes: Vec::new() }),
            algorithm: None,
            length: None,
            wrapping: None,
        }
    }

    /// The key in clear; `None` where the value is wrapped or absent.
    #[must_use]
    pub const fn material(&self) -> Option<&KeyMaterial> {
        match &self.value {
            Some(KeyValue::Plain { material, .. }) => Some(material),
            _ => None,
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
        let format = fields.required(Tag::KEY_FORMAT_TYPE)?;
        let block = Self {
            format,
            compression: fields.optional(Tag::KEY_COMPRESSION_TYPE)?,
            value: fields.take(Tag::KEY_VALUE)?.map(|value| KeyValue::decode(&value, format)).transpose()?,
            algorithm: fields.optional(Tag::CRYPTOGRAPHIC_ALGORITHM)?,
            length: fields.optional(Tag::CRYPTOGRAPHIC_LENGTH)?,
            wrapping: fields.optional(Tag::KEY_WRAPPING_DATA)?,
        };
        fields.finish()?;
        if matches!(block.value, Some(KeyValue::Wrapped(_))) && block.wrapping.is_none() {
            return Err(item.error(DecodeErrorKind::MissingField(Tag::KEY_WRAPPING_DATA)));
        }
        Ok(block)
    }

    fn known_in(&self, version: ProtocolVersion) -> bool {
        // Every field describes the key: leaving one out would describe another key.
        self.format.known_in(version)
            && self.compression.is_none_or(|compression| compression.known_in(version))
            && self.algorithm.is_none_or(|algorithm| algorithm.known_in(version))
            && self.wrapping.as_ref().is_none_or(|wrapping| wrapping.known_in(version))
    }
}

impl KeyValue {
    fn is_field(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::KEY_MATERIAL || tag == Tag::ATTRIBUTE
    }

    fn encode(&self, w: &mut Writer) {
        match self {
            Self::Wrapped(bytes) => w.bytes(Tag::KEY_VALUE, bytes.expose()),
            Self::Plain { material, attributes } => w.structure(Tag::KEY_VALUE, |w| {
                match material {
                    KeyMaterial::Bytes(key) => w.bytes(Tag::KEY_MATERIAL, key.expose()),
                    KeyMaterial::TransparentSymmetric(key) => {
                        w.structure(Tag::KEY_MATERIAL, |w| w.bytes(Tag::KEY, key.expose()));
                    }
                }
                AttributeList::encode(attributes, w);
            }),
        }
    }

    fn decode(item: &Item<'_>, format: KeyFormatType) -> Result<Self, DecodeError> {
        if item.item_type != ItemType::Structure {
            return Ok(Self::Wrapped(Secret::copy_from(item.bytes()?)));
        }
        let mut fields = Fields::new(item.structure()?, Self::is_field);
        let material = KeyMaterial::decode(&fields.require(Tag::KEY_MATERIAL)?, format)?;
        let attributes = AttributeList::decode(&mut fields)?;
        fields.finish()?;
        Ok(Self::Plain { material, attributes })
    }
}

impl KeyMaterial {
    fn is_field(tag: Tag, _version: ProtocolVersion) -> bool {
        tag == Tag::KEY
    }

    fn decode(item: &Item<'_>, format: KeyFormatType) -> Result<Self, DecodeError> {
        match (format, item.item_type) {
            (KeyFormatType::TransparentSymmetricKey, _) => {
                let mut fields = Fields::new(item.structure()?, Self::is_field);
                let key = Secret::copy_from(fields.require(Tag::KEY)?.bytes()?);
                fields.finish()?;
                Ok(Self::TransparentSymmetric(key))
            }
            (_, ItemType::Structure) => Err(item.error(DecodeErrorKind::UnsupportedKeyFormat(format))),
            _ => Ok(Self::Bytes(Secret::copy_from(item.bytes()?))),
        }
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
    fn other_transparent_formats_are_refused_by_name() {
        let refused = read(|w| {
            KeyFormatType::TransparentRsaPrivateKey.encode(Tag::KEY_FORMAT_TYPE, w);
            w.structure(Tag::KEY_VALUE, |w| w.structure(Tag::KEY_MATERIAL, |w| w.big_integer(Tag::MODULUS, &[3])));
        })
        .unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::UnsupportedKeyFormat(KeyFormatType::TransparentRsaPrivateKey));
        assert_eq!(refused.to_string(), "key format Transparent RSA Private Key is not supported at byte 32");
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
    fn objects_that_are_not_decoded_are_refused_by_name() {
        let mut w = Writer::new(ProtocolVersion::EVERY);
        w.structure(Tag::CERTIFICATE, |_| {});
        let refused = ManagedObject::from_canonical(&w.finish()).unwrap_err();
        assert_eq!(refused.kind, DecodeErrorKind::UnsupportedObject(Tag::CERTIFICATE));
    }

    #[test]
    fn a_key_of_an_algorithm_that_the_version_does_not_know_cannot_be_told() {
        let key = |algorithm| KeyBlock::raw(Secret::copy_from(&[1; 32]), algorithm, 256);
        assert!(key(CryptographicAlgorithm::Aes).known_in(ProtocolVersion::V1_0));
        assert!(!key(CryptographicAlgorithm::ChaCha20).known_in(ProtocolVersion::V1_3));
        assert!(key(CryptographicAlgorithm::ChaCha20).known_in(ProtocolVersion::V1_4));
    }
}
