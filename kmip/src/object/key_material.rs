//! Key Material: the key itself, as bytes or as a structure of its numbers. KMIP 1.4 §2.1.4, 2.1 §3.2.

use secret::Secret;

use super::{
    DhPrivateKey, DhPublicKey, DsaPrivateKey, DsaPublicKey, EcPrivateKey, EcPublicKey, RsaPrivateKey, RsaPublicKey,
};
use crate::registry::KeyFormatType;
use crate::ttlv::{DecodeError, Item, Wire, Writer};
use crate::wire::Fields;
use crate::{ProtocolVersion, Tag};

/// `Variant(Structure) = format | further format of the same structure;`
macro_rules! key_material {
    ($( $variant:ident($ty:ident) = $first:ident $(| $further:ident)*; )*) => {
        /// Key Material. KMIP 1.4 §2.1.4, §2.1.7, 2.1 §3.2.
        ///
        /// The Key Format Type beside it says which of the formats of [`KeyMaterial::formats`] it is.
        #[derive(Debug, PartialEq)]
        pub enum KeyMaterial {
            /// A Byte String: Raw, Opaque, and the encodings of ASN.1.
            Bytes(Secret),
            /// Transparent Symmetric Key. KMIP 1.4 §2.1.7.1, 2.1 §3.4.
            TransparentSymmetric(Secret),
            // Boxed: few messages carry such keys, and each of many batch items has room for one.
            $( #[doc = concat!("The structure of ", stringify!($first), ".")] $variant(Box<$ty>), )*
        }

        impl KeyMaterial {
            /// The formats that key material of this form can have, the one of the newest versions first.
            #[must_use]
            pub const fn formats(&self) -> &'static [KeyFormatType] {
                match self {
                    Self::Bytes(_) => BYTE_FORMATS,
                    Self::TransparentSymmetric(_) => &[KeyFormatType::TransparentSymmetricKey],
                    $( Self::$variant(_) => &[KeyFormatType::$first $(, KeyFormatType::$further)*], )*
                }
            }

            fn decode_by_format(item: &Item<'_>, format: KeyFormatType) -> Result<Self, DecodeError> {
                match format {
                    $( KeyFormatType::$first $(| KeyFormatType::$further)* => {
                        Box::<$ty>::decode(item).map(Self::$variant)
                    } )*
                    KeyFormatType::TransparentSymmetricKey => {
                        let mut fields = Fields::new(item.structure()?, |tag, _| tag == Tag::KEY);
                        let key = fields.required(Tag::KEY)?;
                        fields.finish()?;
                        Ok(Self::TransparentSymmetric(key))
                    }
                    // Without a wildcard: a format that the registry gains has to be put into one of the lists.
                    KeyFormatType::Raw
                    | KeyFormatType::Opaque
                    | KeyFormatType::Pkcs1
                    | KeyFormatType::Pkcs8
                    | KeyFormatType::X509
                    | KeyFormatType::EcPrivateKey
                    | KeyFormatType::Pkcs12
                    | KeyFormatType::Pkcs10 => Secret::decode(item).map(Self::Bytes),
                }
            }

            pub(super) fn encode(&self, w: &mut Writer) {
                match self {
                    Self::Bytes(key) => key.encode(Tag::KEY_MATERIAL, w),
                    Self::TransparentSymmetric(key) => w.structure(Tag::KEY_MATERIAL, |w| key.encode(Tag::KEY, w)),
                    $( Self::$variant(key) => key.encode(Tag::KEY_MATERIAL, w), )*
                }
            }

            pub(super) fn known_in(&self, version: ProtocolVersion) -> bool {
                match self {
                    Self::Bytes(_) | Self::TransparentSymmetric(_) => true,
                    $( Self::$variant(key) => key.known_in(version), )*
                }
            }
        }
    };
}

/// Formats that are a Byte String.
const BYTE_FORMATS: &[KeyFormatType] = &[
    KeyFormatType::Raw,
    KeyFormatType::Opaque,
    KeyFormatType::Pkcs1,
    KeyFormatType::Pkcs8,
    KeyFormatType::X509,
    KeyFormatType::EcPrivateKey,
    KeyFormatType::Pkcs12,
    KeyFormatType::Pkcs10,
];

key_material! {
    TransparentDsaPrivate(DsaPrivateKey) = TransparentDsaPrivateKey;
    TransparentDsaPublic(DsaPublicKey) = TransparentDsaPublicKey;
    TransparentRsaPrivate(RsaPrivateKey) = TransparentRsaPrivateKey;
    TransparentRsaPublic(RsaPublicKey) = TransparentRsaPublicKey;
    TransparentDhPrivate(DhPrivateKey) = TransparentDhPrivateKey;
    TransparentDhPublic(DhPublicKey) = TransparentDhPublicKey;
    TransparentEcPrivate(EcPrivateKey) = TransparentEcPrivateKey
        | TransparentEcdsaPrivateKey
        | TransparentEcdhPrivateKey
        | TransparentEcmqvPrivateKey;
    TransparentEcPublic(EcPublicKey) = TransparentEcPublicKey
        | TransparentEcdsaPublicKey
        | TransparentEcdhPublicKey
        | TransparentEcmqvPublicKey;
}

impl KeyMaterial {
    /// The key bytes, where they are one string: not for the numbers of an asymmetric key.
    #[must_use]
    pub const fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Bytes(secret) | Self::TransparentSymmetric(secret) => Some(secret),
            _ => None,
        }
    }

    /// The key bytes, where they are one string.
    ///
    /// # Errors
    /// The key material itself, where it is the numbers of an asymmetric key.
    pub fn into_secret(self) -> Result<Secret, Self> {
        match self {
            Self::Bytes(secret) | Self::TransparentSymmetric(secret) => Ok(secret),
            numbers => Err(numbers),
        }
    }

    /// Whether key material of this form can have `format`.
    #[must_use]
    pub fn fits(&self, format: KeyFormatType) -> bool {
        self.formats().contains(&format)
    }

    /// Lends `digest` the bytes that a Digest is taken over: the Byte String, or the TTLV of the structure under the
    /// tag Key Material. KMIP 1.4 §3.17, 2.1 §4.21.
    pub fn with_digest_input<T>(&self, digest: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Bytes(key) => digest(key.expose()),
            structure => {
                // No version says the numbers of a key in another way.
                let mut w = Writer::new(ProtocolVersion::EVERY);
                structure.encode(&mut w);
                digest(&w.finish())
            }
        }
    }

    pub(super) fn decode(item: &Item<'_>, format: KeyFormatType) -> Result<Self, DecodeError> {
        let material = Self::decode_by_format(item, format)?;
        if let Self::TransparentRsaPrivate(key) = &material {
            key.check(item)?;
        }
        Ok(material)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::SecretInteger;
    use crate::registry::RecommendedCurve;
    use crate::ttlv::{BigInteger, DecodeErrorKind, Reader};

    fn read(format: KeyFormatType, write: impl FnOnce(&mut Writer)) -> Result<KeyMaterial, DecodeError> {
        let mut w = Writer::new(ProtocolVersion::V1_4);
        w.structure(Tag::KEY_MATERIAL, write);
        let bytes = w.finish();
        let item = Reader::new(&bytes, ProtocolVersion::V1_4).next_item()?.unwrap();
        KeyMaterial::decode(&item, format)
    }

    #[test]
    fn a_digest_of_numbers_is_taken_over_their_structure() {
        let key = EcPrivateKey { recommended_curve: RecommendedCurve::P256, d: SecretInteger::from_unsigned(&[9]) };
        let expected = "42004301000000204200750500000004000000070000000042002e0400000008\
                        0000000000000009";
        let input = KeyMaterial::TransparentEcPrivate(Box::new(key)).with_digest_input(|input| hex::encode(input));
        assert_eq!(input, expected);
        // Bytes need no framing.
        assert_eq!(KeyMaterial::Bytes(Secret::copy_from(&[1, 2])).with_digest_input(<[u8]>::to_vec), [1, 2]);
    }

    #[test]
    fn an_rsa_private_key_has_something_private() {
        let format = KeyFormatType::TransparentRsaPrivateKey;
        let key = |tags: &[Tag]| {
            read(format, |w| {
                w.big_integer(Tag::MODULUS, &[3]);
                tags.iter().for_each(|tag| w.big_integer(*tag, &[1]));
            })
        };
        for enough in [
            &[Tag::PRIVATE_EXPONENT][..],
            &[Tag::P, Tag::Q],
            &[Tag::PUBLIC_EXPONENT, Tag::PRIME_EXPONENT_P, Tag::PRIME_EXPONENT_Q],
        ] {
            assert!(key(enough).is_ok(), "{enough:?}");
        }
        for too_little in [&[][..], &[Tag::P], &[Tag::PUBLIC_EXPONENT, Tag::PRIME_EXPONENT_Q, Tag::CRT_COEFFICIENT]] {
            let refused = key(too_little).unwrap_err();
            assert_eq!(refused.kind, DecodeErrorKind::MissingField(Tag::PRIVATE_EXPONENT), "{too_little:?}");
        }
    }

    #[test]
    fn the_same_structure_has_four_formats_of_elliptic_curves() {
        for format in [
            KeyFormatType::TransparentEcPublicKey,
            KeyFormatType::TransparentEcdsaPublicKey,
            KeyFormatType::TransparentEcdhPublicKey,
            KeyFormatType::TransparentEcmqvPublicKey,
        ] {
            let material = read(format, |w| {
                RecommendedCurve::P384.encode(Tag::RECOMMENDED_CURVE, w);
                w.bytes(Tag::Q_STRING, &[4, 1, 1]);
            })
            .unwrap();
            assert!(material.fits(format) && !material.fits(KeyFormatType::TransparentEcPrivateKey));
            assert!(material.secret().is_none() && material.into_secret().is_err());
        }
    }

    #[test]
    fn a_number_is_a_big_integer_and_a_field_of_another_key_is_refused() {
        let format = KeyFormatType::TransparentRsaPublicKey;
        let bytes = read(format, |w| w.bytes(Tag::MODULUS, &[3])).unwrap_err();
        assert!(matches!(bytes.kind, DecodeErrorKind::WrongType { tag: Tag::MODULUS, .. }));
        let private = read(format, |w| {
            w.big_integer(Tag::MODULUS, &[3]);
            w.big_integer(Tag::PUBLIC_EXPONENT, &[3]);
            w.big_integer(Tag::P, &[3]);
        });
        assert_eq!(private.unwrap_err().kind, DecodeErrorKind::UnknownField(Tag::P));
    }

    #[test]
    fn debug_shows_public_numbers_only() {
        let key = DsaPrivateKey {
            p: BigInteger(vec![1; 8]),
            q: BigInteger(vec![1; 8]),
            g: BigInteger(vec![1; 8]),
            x: SecretInteger::from_unsigned(&[171; 7]),
        };
        let text = format!("{:?}", KeyMaterial::TransparentDsaPrivate(Box::new(key)));
        assert!(text.contains("Secret(8 bytes)") && !text.contains("171"), "{text}");
    }
}
