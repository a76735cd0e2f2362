//! Keys as bytes: PKCS#1, PKCS#8, SEC 1, SubjectPublicKeyInfo, raw Edwards and Montgomery keys. KMIP 1.4 §9.1.3.2.3.

use kmip::registry::KeyFormatType;
use openssl::ec::EcKey;
use openssl::pkey::{Id, PKey};
use openssl::rsa::Rsa;
use secret::Secret;

use super::{KeyKind, PrivateKey, PublicKey, taken_apart};
use crate::CryptoError;
use crate::der::element_len;
use crate::library::Checked;
use crate::limits::MAX_ENCODED_LEN;

const BROKEN: CryptoError = CryptoError::InvalidKey("it is not encoded as its format says");

impl PrivateKey {
    /// Reads a key of format PKCS#1, PKCS#8 (not encrypted) or EC Private Key.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for other formats, algorithms and curves; [`CryptoError::InvalidKey`];
    /// [`CryptoError::TooLong`].
    pub fn from_encoded(format: KeyFormatType, bytes: &Secret) -> Result<Self, CryptoError> {
        let der = whole_der(bytes.expose())?;
        let pkey = match format {
            KeyFormatType::Pkcs1 => {
                PKey::from_rsa(Rsa::private_key_from_der(der).or_refuse(BROKEN)?).or_refuse(BROKEN)?
            }
            KeyFormatType::Pkcs8 => match taken_apart::pkcs8(der)? {
                Some(pkey) => pkey,
                None => PKey::private_key_from_pkcs8(der).or_refuse(BROKEN)?,
            },
            KeyFormatType::EcPrivateKey => match taken_apart::sec1(der)? {
                Some(pkey) => pkey,
                None => PKey::from_ec_key(EcKey::private_key_from_der(der).or_refuse(BROKEN)?).or_refuse(BROKEN)?,
            },
            other => return Err(CryptoError::Unsupported(other.text())),
        };
        Self::new(pkey)
    }

    /// Reads a raw key: the seed of Ed25519 or Ed448, the scalar of X25519 or X448.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for kinds without a raw form; [`CryptoError::InvalidKey`] for another length.
    pub fn from_raw(kind: KeyKind, bytes: &Secret) -> Result<Self, CryptoError> {
        Self::new(PKey::private_key_from_raw_bytes(bytes.expose(), raw_id(kind)?).or_refuse(BROKEN)?)
    }

    /// Writes the key in format Raw, PKCS#1, PKCS#8 or EC Private Key.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for a format that the kind of key does not have.
    pub fn to_encoded(&self, format: KeyFormatType) -> Result<Secret, CryptoError> {
        let refused = CryptoError::Unsupported(format.text());
        let bytes = match (format, self.kind()) {
            (KeyFormatType::Pkcs8, _) => self.pkey().private_key_to_pkcs8().or_library("PKCS#8")?,
            (KeyFormatType::Pkcs1, KeyKind::Rsa) => {
                self.pkey().rsa().or_library("PKCS#1")?.private_key_to_der().or_library("PKCS#1")?
            }
            (KeyFormatType::EcPrivateKey, KeyKind::Ec) => {
                self.pkey().ec_key().or_library("SEC 1")?.private_key_to_der().or_library("SEC 1")?
            }
            (KeyFormatType::Raw, kind) if raw_id(kind).is_ok() => {
                self.pkey().raw_private_key().or_library("raw key")?
            }
            _ => return Err(refused),
        };
        Ok(Secret::new(bytes))
    }
}

impl PublicKey {
    /// Reads a key of format PKCS#1, or SubjectPublicKeyInfo (X.509, and PKCS#8 as some clients call it).
    ///
    /// # Errors
    /// As [`PrivateKey::from_encoded`].
    pub fn from_encoded(format: KeyFormatType, bytes: &[u8]) -> Result<Self, CryptoError> {
        let der = whole_der(bytes)?;
        let pkey = match format {
            KeyFormatType::Pkcs1 => {
                PKey::from_rsa(Rsa::public_key_from_der_pkcs1(der).or_refuse(BROKEN)?).or_refuse(BROKEN)?
            }
            KeyFormatType::X509 | KeyFormatType::Pkcs8 => PKey::public_key_from_der(der).or_refuse(BROKEN)?,
            other => return Err(CryptoError::Unsupported(other.text())),
        };
        Self::new(pkey)
    }

    /// Reads a raw key of an Edwards or Montgomery curve.
    ///
    /// # Errors
    /// As [`PrivateKey::from_raw`].
    pub fn from_raw(kind: KeyKind, bytes: &[u8]) -> Result<Self, CryptoError> {
        Self::new(PKey::public_key_from_raw_bytes(bytes, raw_id(kind)?).or_refuse(BROKEN)?)
    }

    /// Writes the key in format Raw, PKCS#1 or X.509 (SubjectPublicKeyInfo).
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for a format that the kind of key does not have.
    pub fn to_encoded(&self, format: KeyFormatType) -> Result<Vec<u8>, CryptoError> {
        match (format, self.kind()) {
            (KeyFormatType::X509, _) => self.pkey().public_key_to_der().or_library("SubjectPublicKeyInfo"),
            (KeyFormatType::Pkcs1, KeyKind::Rsa) => {
                self.pkey().rsa().or_library("PKCS#1")?.public_key_to_der_pkcs1().or_library("PKCS#1")
            }
            (KeyFormatType::Raw, kind) if raw_id(kind).is_ok() => self.pkey().raw_public_key().or_library("raw key"),
            _ => Err(CryptoError::Unsupported(format.text())),
        }
    }
}

fn raw_id(kind: KeyKind) -> Result<Id, CryptoError> {
    Ok(match kind {
        KeyKind::Ed25519 => Id::ED25519,
        KeyKind::Ed448 => Id::ED448,
        KeyKind::X25519 => Id::X25519,
        KeyKind::X448 => Id::X448,
        KeyKind::Rsa | KeyKind::Dsa | KeyKind::Dh | KeyKind::Ec => {
            return Err(CryptoError::Unsupported("the raw format of such a key"));
        }
    })
}

/// `bytes`, if they are one DER element and nothing behind it, which the library would not notice.
pub(crate) fn whole_der(bytes: &[u8]) -> Result<&[u8], CryptoError> {
    if bytes.len() > MAX_ENCODED_LEN {
        return Err(CryptoError::TooLong("the encoded key"));
    }
    if element_len(bytes) == Some(bytes.len()) { Ok(bytes) } else { Err(BROKEN) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A P-256 key and the two halves of an Ed25519 key (RFC 8410 §10).
    const P256_SEC1: &str =
        "303102010104202e26d3c5b7f8a2b1948f10b4d1c04b5f0de0b3d5e6a9e4c1b2f3a4c5d6e7f809a00a06082a8648ce3d030107";
    const ED25519_PKCS8: &str =
        "302e020100300506032b657004220420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
    const ED25519_SPKI: &str =
        "302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

    fn secret(hex: &str) -> Secret {
        Secret::new(hex::decode(hex).unwrap())
    }

    #[test]
    fn an_edwards_key_goes_through_every_format() {
        let private = PrivateKey::from_encoded(KeyFormatType::Pkcs8, &secret(ED25519_PKCS8)).unwrap();
        assert_eq!(private.kind(), KeyKind::Ed25519);
        assert_eq!(hex::encode(private.to_encoded(KeyFormatType::Pkcs8).unwrap().expose()), ED25519_PKCS8);
        let public = private.public_key().unwrap();
        assert_eq!(hex::encode(public.to_encoded(KeyFormatType::X509).unwrap()), ED25519_SPKI);
        let raw = private.to_encoded(KeyFormatType::Raw).unwrap();
        assert!(public.belongs_to(&PrivateKey::from_raw(KeyKind::Ed25519, &raw).unwrap()));
        let raw_public = public.to_encoded(KeyFormatType::Raw).unwrap();
        assert!(PublicKey::from_raw(KeyKind::Ed25519, &raw_public).unwrap().belongs_to(&private));
        assert!(matches!(private.to_encoded(KeyFormatType::Pkcs1), Err(CryptoError::Unsupported("PKCS#1"))));
    }

    #[test]
    fn bytes_behind_a_key_are_refused() {
        let mut longer = hex::decode(ED25519_PKCS8).unwrap();
        longer.push(0);
        let longer = Secret::new(longer);
        assert_eq!(PrivateKey::from_encoded(KeyFormatType::Pkcs8, &longer).unwrap_err(), BROKEN);
        let mut longer = hex::decode(ED25519_SPKI).unwrap();
        longer.push(0);
        assert_eq!(PublicKey::from_encoded(KeyFormatType::X509, &longer).unwrap_err(), BROKEN);
    }

    #[test]
    fn every_cut_of_a_key_is_refused() {
        let whole = hex::decode(ED25519_PKCS8).unwrap();
        for len in 0..whole.len() {
            let cut = Secret::copy_from(&whole[..len]);
            assert!(PrivateKey::from_encoded(KeyFormatType::Pkcs8, &cut).is_err(), "{len}");
        }
    }

    #[test]
    fn an_ec_key_without_its_public_half_gets_one() {
        let private = PrivateKey::from_encoded(KeyFormatType::EcPrivateKey, &secret(P256_SEC1)).unwrap();
        assert!(private.public_key().unwrap().belongs_to(&private));
        let whole = private.to_encoded(KeyFormatType::EcPrivateKey).unwrap();
        let again = PrivateKey::from_encoded(KeyFormatType::EcPrivateKey, &whole).unwrap();
        assert!(again.public_key().unwrap().belongs_to(&private));
    }
}
