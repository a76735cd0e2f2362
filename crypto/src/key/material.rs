//! Keys as Key Material: every format of KMIP, chosen by its name. KMIP 1.4 §2.1.4, §9.1.3.2.3; 2.1 §3.2.

use kmip::object::KeyMaterial;
use kmip::registry::{CryptographicAlgorithm, KeyCompressionType, KeyFormatType, RecommendedCurve};
use secret::Secret;

use super::{KeyFacts, KeyKind, PrivateKey, PublicKey};
use crate::CryptoError;
use crate::der::{Elements, element, tag};
use crate::library::Checked;

/// What the attributes of a key say about it. Only the format Raw, which says nothing itself, needs them.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyHint {
    /// Cryptographic Algorithm.
    pub algorithm: Option<CryptographicAlgorithm>,
    /// Recommended Curve.
    pub curve: Option<RecommendedCurve>,
}

impl PrivateKey {
    /// Reads key material of any format but PKCS#12, for which see [`crate::pkcs12`].
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for formats that are no private key's; [`CryptoError::Missing`] for raw bytes without
    /// a hint; [`CryptoError::InvalidKey`]; [`CryptoError::TooLong`].
    pub fn from_material(format: KeyFormatType, material: &KeyMaterial, hint: KeyHint) -> Result<Self, CryptoError> {
        match (material, format) {
            (KeyMaterial::Bytes(bytes), KeyFormatType::Raw) => match raw_kind(hint, bytes.len())? {
                KeyKind::Ec => {
                    let curve = hint.curve.ok_or(CryptoError::Missing("Recommended Curve"))?;
                    Self::from_scalar(curve, bytes)
                }
                kind => Self::from_raw(kind, bytes),
            },
            (KeyMaterial::Bytes(bytes), format) => Self::from_encoded(format, bytes),
            (numbers, _) => Self::from_numbers(numbers),
        }
    }

    /// Writes the key as key material of `format`.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for a format that the kind of key does not have.
    pub fn to_material(&self, format: KeyFormatType) -> Result<KeyMaterial, CryptoError> {
        let numbers = || {
            let numbers = self.to_numbers()?;
            if numbers.fits(format) { Ok(numbers) } else { Err(CryptoError::Unsupported(format.text())) }
        };
        match format {
            KeyFormatType::Raw if self.kind() == KeyKind::Ec => self.to_scalar().map(KeyMaterial::Bytes),
            KeyFormatType::Raw | KeyFormatType::Pkcs1 | KeyFormatType::Pkcs8 | KeyFormatType::EcPrivateKey => {
                self.to_encoded(format).map(KeyMaterial::Bytes)
            }
            _ => numbers(),
        }
    }

    /// The private number of an EC key at the length of the order, as raw keys have it.
    fn to_scalar(&self) -> Result<Secret, CryptoError> {
        let broken = CryptoError::InvalidKey("it is no EC key");
        let ec = self.pkey().ec_key().or_refuse(broken)?;
        let bits = usize::try_from(ec.group().order_bits()).map_err(|_| broken)?;
        crate::number::secret_padded(ec.private_key(), bits.div_ceil(8))
    }
}

impl PublicKey {
    /// Reads key material of any format of public keys.
    ///
    /// # Errors
    /// As [`PrivateKey::from_material`].
    pub fn from_material(format: KeyFormatType, material: &KeyMaterial, hint: KeyHint) -> Result<Self, CryptoError> {
        match (material, format) {
            (KeyMaterial::Bytes(bytes), KeyFormatType::Raw) => match raw_kind(hint, bytes.len())? {
                KeyKind::Ec => {
                    let curve = hint.curve.ok_or(CryptoError::Missing("Recommended Curve"))?;
                    Self::from_point(curve, bytes.expose())
                }
                kind => Self::from_raw(kind, bytes.expose()),
            },
            (KeyMaterial::Bytes(bytes), format) => Self::from_encoded(format, bytes.expose()),
            (numbers, _) => Self::from_numbers(numbers),
        }
    }

    /// Writes the key as key material of `format`; `compression` is that of an EC key's point.
    ///
    /// # Errors
    /// As [`PrivateKey::to_material`].
    pub fn to_material(
        &self,
        format: KeyFormatType,
        compression: Option<KeyCompressionType>,
    ) -> Result<KeyMaterial, CryptoError> {
        let bytes = |bytes: Vec<u8>| KeyMaterial::Bytes(Secret::new(bytes));
        match format {
            KeyFormatType::Raw if self.kind() == KeyKind::Ec => self.to_point(compression).map(bytes),
            KeyFormatType::X509 if self.kind() == KeyKind::Ec && compression.is_some() => {
                self.to_compressed_info(compression).map(bytes)
            }
            KeyFormatType::Raw | KeyFormatType::Pkcs1 | KeyFormatType::X509 => self.to_encoded(format).map(bytes),
            _ => {
                let numbers = self.to_numbers(compression)?;
                if numbers.fits(format) { Ok(numbers) } else { Err(CryptoError::Unsupported(format.text())) }
            }
        }
    }

    /// SubjectPublicKeyInfo with the point in another form than the library writes.
    fn to_compressed_info(&self, compression: Option<KeyCompressionType>) -> Result<Vec<u8>, CryptoError> {
        let info = self.to_encoded(KeyFormatType::X509)?;
        let algorithm = Elements::new(&info).expect(tag::SEQUENCE)?.inside().expect(tag::SEQUENCE)?;
        let point = element(tag::BIT_STRING, &[&[0], &self.to_point(compression)?]);
        Ok(element(tag::SEQUENCE, &[algorithm.whole, &point]))
    }
}

/// The kind of a raw key.
fn raw_kind(hint: KeyHint, len: usize) -> Result<KeyKind, CryptoError> {
    use CryptographicAlgorithm as A;
    use RecommendedCurve as C;
    Ok(match (hint.algorithm, hint.curve) {
        (Some(A::Ed25519), _) => KeyKind::Ed25519,
        (Some(A::Ed448), _) => KeyKind::Ed448,
        (Some(A::Ecdsa), Some(C::Curve25519)) => KeyKind::Ed25519,
        (Some(A::Ecdsa), Some(C::Curve448)) => KeyKind::Ed448,
        (Some(A::Ecdh), Some(C::Curve25519)) => KeyKind::X25519,
        (Some(A::Ecdh), Some(C::Curve448)) => KeyKind::X448,
        // A key for nothing in particular on these curves is one for agreement (2.1 §11.49 names no signature), but an
        // Edwards curve 448 key has a byte more.
        (Some(A::Ec), Some(C::Curve25519)) => KeyKind::X25519,
        (Some(A::Ec), Some(C::Curve448)) if len == 57 => KeyKind::Ed448,
        (Some(A::Ec), Some(C::Curve448)) => KeyKind::X448,
        (Some(A::Ec | A::Ecdsa | A::Ecdh | A::Ecmqv), _) | (None, Some(_)) => KeyKind::Ec,
        (None, None) => return Err(CryptoError::Missing("Cryptographic Algorithm")),
        (Some(other), _) => return Err(CryptoError::Unsupported(other.text())),
    })
}

/// The facts of a private key; `None` for a format, an algorithm or bytes that are not understood: an encrypted PKCS#8,
/// a curve without a name, a broken key. Register asks, and takes what nobody understands all the same.
#[must_use]
pub fn inspect_private(format: KeyFormatType, material: &KeyMaterial, hint: KeyHint) -> Option<KeyFacts> {
    PrivateKey::from_material(format, material, hint).ok().map(|key| key.facts())
}

/// The facts of a public key; `None` for what is not understood.
#[must_use]
pub fn inspect_public(format: KeyFormatType, material: &KeyMaterial, hint: KeyHint) -> Option<KeyFacts> {
    PublicKey::from_material(format, material, hint).ok().map(|key| key.facts())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::random_len;

    fn bytes(hex: &str) -> KeyMaterial {
        KeyMaterial::Bytes(Secret::new(hex::decode(hex).unwrap()))
    }

    fn p256() -> PrivateKey {
        let curve = Some(RecommendedCurve::P256);
        let random = Secret::new(vec![7; random_len(KeyKind::Ec, curve).unwrap()]);
        PrivateKey::generate(KeyKind::Ec, curve, &random).unwrap()
    }

    #[test]
    fn an_ed25519_key_tells_what_it_is() {
        let spki = bytes("302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
        let facts = inspect_public(KeyFormatType::X509, &spki, KeyHint::default()).unwrap();
        assert_eq!(facts.kind, KeyKind::Ed25519);
        assert_eq!(facts.algorithm, CryptographicAlgorithm::Ed25519);
        assert_eq!((facts.length_bits, facts.curve), (256, Some(RecommendedCurve::Curve25519)));
    }

    #[test]
    fn what_is_not_understood_is_no_error() {
        let none = KeyHint::default();
        assert_eq!(inspect_private(KeyFormatType::Opaque, &bytes("616263"), none), None);
        assert_eq!(inspect_private(KeyFormatType::Pkcs8, &bytes("3000"), none), None);
        // EncryptedPrivateKeyInfo: the library is not to ask anybody for a password.
        let encrypted = bytes("301c300e060a2a864886f70d010c01033000040a00112233445566778899");
        assert_eq!(inspect_private(KeyFormatType::Pkcs8, &encrypted, none), None);
        assert_eq!(inspect_private(KeyFormatType::Raw, &encrypted, none), None);
        assert_eq!(inspect_public(KeyFormatType::Pkcs1, &bytes(""), none), None);
    }

    #[test]
    fn an_ec_key_goes_through_every_format() {
        let hint = KeyHint { algorithm: Some(CryptographicAlgorithm::Ec), curve: Some(RecommendedCurve::P256) };
        let private = p256();
        for format in [
            KeyFormatType::Raw,
            KeyFormatType::Pkcs8,
            KeyFormatType::EcPrivateKey,
            KeyFormatType::TransparentEcPrivateKey,
            KeyFormatType::TransparentEcdsaPrivateKey,
        ] {
            let material = private.to_material(format).unwrap();
            let again = PrivateKey::from_material(format, &material, hint).unwrap();
            assert!(again.public_key().unwrap().belongs_to(&private), "{}", format.text());
        }
        let public = private.public_key().unwrap();
        for format in [KeyFormatType::Raw, KeyFormatType::X509, KeyFormatType::TransparentEcPublicKey] {
            for compression in std::iter::once(None).chain(KeyCompressionType::ALL.iter().copied().map(Some)) {
                let material = public.to_material(format, compression).unwrap();
                let again = PublicKey::from_material(format, &material, hint).unwrap();
                assert!(again.belongs_to(&private), "{} {compression:?}", format.text());
            }
        }
        assert_eq!(public.to_point(Some(KeyCompressionType::EcPublicKeyTypeX9_62CompressedPrime)).unwrap().len(), 33);
        for format in [KeyFormatType::Pkcs1, KeyFormatType::TransparentRsaPrivateKey, KeyFormatType::X509] {
            assert!(private.to_material(format).is_err());
        }
    }

    #[test]
    fn a_point_outside_its_curve_is_no_key() {
        let mut point = p256().public_key().unwrap().to_point(None).unwrap();
        *point.last_mut().unwrap() ^= 1;
        assert!(PublicKey::from_point(RecommendedCurve::P256, &point).is_err());
        assert!(PublicKey::from_point(RecommendedCurve::P384, &point).is_err());
    }
}
