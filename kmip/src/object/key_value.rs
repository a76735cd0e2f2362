//! Key Value: the key material with its attributes, or the bytes that wrapping made of them. KMIP 1.4 §2.1.4, 2.1 §3.2.

use secret::Secret;
use thiserror::Error;

use super::KeyMaterial;
use crate::attribute::{Attribute, AttributeList};
use crate::registry::{EncodingOption, KeyFormatType};
use crate::ttlv::{DecodeError, DecodeErrorKind, Item, ItemType, Reader, Writer};
use crate::wire::{Fields, Part};
use crate::{ProtocolVersion, Tag};

/// Key Value. KMIP 1.4 §2.1.4, 2.1 §3.2.
#[derive(Debug, PartialEq)]
pub enum KeyValue {
    /// A structure: in clear, unless the Key Block has Key Wrapping Data. Some clients wrap the bytes inside it.
    Plain {
        /// The key.
        material: KeyMaterial,
        /// Attributes that travel with the key.
        attributes: Vec<Attribute>,
    },
    /// A Byte String, as it came out of the wrapping method, or a PKCS#12 file.
    Wrapped(Secret),
}

/// Why a Key Value cannot be wrapped with an Encoding Option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotWrappable {
    /// It is wrapped already, or a PKCS#12 file.
    #[error("key value is a Byte String")]
    ByteString,
    /// Without encoding, only bytes can be wrapped.
    #[error("key material is a structure")]
    Structure,
    /// Without encoding, attributes have no place.
    #[error("key value has attributes")]
    Attributes,
}

impl KeyValue {
    /// The bytes that a wrapping method has to protect: with [`EncodingOption::TtlvEncoding`], the default of the
    /// standard, the whole Key Value in the form of `version`; with [`EncodingOption::NoEncoding`] the Key Material
    /// alone. KMIP 1.4 §2.1.5, 2.1 §3.3.
    ///
    /// # Errors
    /// [`NotWrappable`], see there.
    pub fn to_wrapping_input(&self, option: EncodingOption, version: ProtocolVersion) -> Result<Secret, NotWrappable> {
        let Self::Plain { material, attributes } = self else { return Err(NotWrappable::ByteString) };
        match (option, material) {
            (EncodingOption::TtlvEncoding, _) => {
                let mut w = Writer::new(version);
                self.encode(&mut w);
                Ok(Secret::from(w.finish()))
            }
            (EncodingOption::NoEncoding, _) if !attributes.is_empty() => Err(NotWrappable::Attributes),
            (EncodingOption::NoEncoding, KeyMaterial::Bytes(bytes)) => Ok(Secret::copy_from(bytes.expose())),
            (EncodingOption::NoEncoding, _) => Err(NotWrappable::Structure),
        }
    }

    /// The Key Value that [`KeyValue::to_wrapping_input`] made `bytes` of, for a key of `format`.
    ///
    /// # Errors
    /// [`DecodeError`], with its offset counted from the start of `bytes`, for bytes that are no Key Value of `version`.
    /// Bytes without encoding are taken as they are.
    pub fn from_wrapping_input(
        bytes: &[u8],
        option: EncodingOption,
        format: KeyFormatType,
        version: ProtocolVersion,
    ) -> Result<Self, DecodeError> {
        match option {
            EncodingOption::NoEncoding => {
                let material = KeyMaterial::Bytes(Secret::copy_from(bytes));
                if !material.fits(format) {
                    let why = "is a structure, which cannot be wrapped without encoding";
                    return Err(DecodeError {
                        kind: DecodeErrorKind::Invalid { tag: Tag::KEY_MATERIAL, why },
                        offset: 0,
                    });
                }
                Ok(Self::Plain { material, attributes: Vec::new() })
            }
            EncodingOption::TtlvEncoding => {
                let mut fields = Fields::new(Reader::new(bytes, version), |tag, _| tag == Tag::KEY_VALUE);
                let item = fields.require(Tag::KEY_VALUE)?;
                fields.finish()?;
                Self::decode_structure(&item, format)
            }
        }
    }

    fn is_field(tag: Tag, version: ProtocolVersion) -> bool {
        tag == Tag::KEY_MATERIAL || AttributeList::takes(tag, version)
    }

    pub(super) fn encode(&self, w: &mut Writer) {
        match self {
            Self::Wrapped(bytes) => w.bytes(Tag::KEY_VALUE, bytes.expose()),
            Self::Plain { material, attributes } => w.structure(Tag::KEY_VALUE, |w| {
                material.encode(w);
                AttributeList::encode(attributes, w);
            }),
        }
    }

    pub(super) fn decode(item: &Item<'_>, format: KeyFormatType) -> Result<Self, DecodeError> {
        if item.item_type == ItemType::Structure {
            return Self::decode_structure(item, format);
        }
        Ok(Self::Wrapped(Secret::copy_from(item.bytes()?)))
    }

    fn decode_structure(item: &Item<'_>, format: KeyFormatType) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(item.structure()?, Self::is_field);
        let material = KeyMaterial::decode(&fields.require(Tag::KEY_MATERIAL)?, format)?;
        let attributes = AttributeList::decode(&mut fields)?;
        fields.finish()?;
        Ok(Self::Plain { material, attributes })
    }

    pub(super) fn known_in(&self, version: ProtocolVersion) -> bool {
        match self {
            // Attributes that the version does not know are left out.
            Self::Plain { material, .. } => material.known_in(version),
            Self::Wrapped(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::{AttributeValue, Name};

    const V1_4: ProtocolVersion = ProtocolVersion::V1_4;

    fn plain(material: KeyMaterial, attributes: Vec<Attribute>) -> KeyValue {
        KeyValue::Plain { material, attributes }
    }

    fn bytes() -> KeyMaterial {
        KeyMaterial::Bytes(Secret::copy_from(&[7; 16]))
    }

    #[test]
    fn without_encoding_only_bare_bytes_are_wrapped() {
        let refused = |value: &KeyValue| value.to_wrapping_input(EncodingOption::NoEncoding, V1_4).unwrap_err();
        let named = Attribute::new(AttributeValue::Name(Name::text("a")));
        assert_eq!(refused(&plain(bytes(), vec![named])), NotWrappable::Attributes);
        let structure = KeyMaterial::TransparentSymmetric(Secret::copy_from(&[7; 16]));
        assert_eq!(refused(&plain(structure, Vec::new())), NotWrappable::Structure);
        assert_eq!(refused(&KeyValue::Wrapped(Secret::copy_from(&[7; 24]))), NotWrappable::ByteString);
        let bare = plain(bytes(), Vec::new()).to_wrapping_input(EncodingOption::NoEncoding, V1_4).unwrap();
        assert_eq!(bare.expose(), [7; 16]);
    }

    #[test]
    fn with_encoding_the_whole_value_is_wrapped() {
        let input = plain(bytes(), Vec::new()).to_wrapping_input(EncodingOption::TtlvEncoding, V1_4).unwrap();
        let expected = "420045010000001842004308000000100707070707070707\
                        0707070707070707";
        assert_eq!(hex::encode(input.expose()), expected);
    }

    #[test]
    fn attributes_stand_beside_the_key_in_the_form_of_the_version() {
        let named = plain(bytes(), vec![Attribute::new(AttributeValue::Name(Name::text("a")))]);
        let tags_in = |version| {
            let mut w = Writer::new(version);
            named.encode(&mut w);
            let bytes = w.finish();
            let item = Reader::new(&bytes, version).next_item().unwrap().unwrap();
            assert_eq!(KeyValue::decode(&item, KeyFormatType::Raw).as_ref(), Ok(&named));
            let mut fields = item.structure().unwrap();
            std::iter::from_fn(|| fields.next_item().unwrap()).map(|field| field.tag).collect::<Vec<_>>()
        };
        assert_eq!(tags_in(V1_4), [Tag::KEY_MATERIAL, Tag::ATTRIBUTE]);
        assert_eq!(tags_in(ProtocolVersion::V2_0), [Tag::KEY_MATERIAL, Tag::ATTRIBUTES]);
        // What is sealed keeps the older form, which can say more.
        assert_eq!(tags_in(ProtocolVersion::EVERY), [Tag::KEY_MATERIAL, Tag::ATTRIBUTE]);
    }

    #[test]
    fn bytes_that_are_no_key_value_are_refused() {
        let read = |bytes: &[u8], option, format| KeyValue::from_wrapping_input(bytes, option, format, V1_4);
        let (ttlv, none) = (EncodingOption::TtlvEncoding, EncodingOption::NoEncoding);
        for wrong in [&[][..], &[7; 16], &[7; 3]] {
            assert!(read(wrong, ttlv, KeyFormatType::Raw).is_err());
        }
        let input = plain(bytes(), Vec::new()).to_wrapping_input(ttlv, V1_4).unwrap();
        let twice = [input.expose(), input.expose()].concat();
        let refused = read(&twice, ttlv, KeyFormatType::Raw).unwrap_err();
        assert_eq!((refused.kind, refused.offset), (DecodeErrorKind::DuplicateField(Tag::KEY_VALUE), input.len()));
        // The wrapped value of a wrapped value is not a key.
        let mut w = Writer::new(V1_4);
        w.bytes(Tag::KEY_VALUE, &[7; 24]);
        assert!(read(&w.finish(), ttlv, KeyFormatType::Raw).is_err());
        let refused = read(&[7; 16], none, KeyFormatType::TransparentRsaPrivateKey).unwrap_err();
        assert!(matches!(refused.kind, DecodeErrorKind::Invalid { tag: Tag::KEY_MATERIAL, .. }));
    }
}
