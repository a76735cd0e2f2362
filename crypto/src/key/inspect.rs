//! What an encoded key tells about itself. Register asks, and takes what nobody understands all the same.

use kmip::registry::KeyFormatType;
use secret::Secret;

use super::{KeyFacts, PrivateKey, PublicKey};

/// The facts of a private key; `None` for a format, an algorithm or bytes that are not understood: an encrypted PKCS#8,
/// a curve without a name, a broken key.
#[must_use]
pub fn inspect_private(format: KeyFormatType, bytes: &Secret) -> Option<KeyFacts> {
    PrivateKey::from_encoded(format, bytes).ok().map(|key| key.facts())
}

/// The facts of a public key; `None` for what is not understood.
#[must_use]
pub fn inspect_public(format: KeyFormatType, bytes: &[u8]) -> Option<KeyFacts> {
    PublicKey::from_encoded(format, bytes).ok().map(|key| key.facts())
}

#[cfg(test)]
mod tests {
    use kmip::registry::{CryptographicAlgorithm, RecommendedCurve};

    use super::*;
    use crate::key::KeyKind;

    #[test]
    fn an_ed25519_key_tells_what_it_is() {
        let spki =
            hex::decode("302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
        let facts = inspect_public(KeyFormatType::X509, &spki.unwrap()).unwrap();
        assert_eq!(facts.kind, KeyKind::Ed25519);
        assert_eq!(facts.algorithm, CryptographicAlgorithm::Ed25519);
        assert_eq!((facts.length_bits, facts.curve), (256, Some(RecommendedCurve::Curve25519)));
    }

    #[test]
    fn what_is_not_understood_is_no_error() {
        assert_eq!(inspect_private(KeyFormatType::Opaque, &Secret::copy_from(b"anything")), None);
        assert_eq!(inspect_private(KeyFormatType::Pkcs8, &Secret::copy_from(&[0x30, 0])), None);
        // EncryptedPrivateKeyInfo: the library is not to ask anybody for a password.
        let encrypted = hex::decode("301c300e060a2a864886f70d010c01033000040a00112233445566778899").unwrap();
        assert_eq!(inspect_private(KeyFormatType::Pkcs8, &Secret::new(encrypted)), None);
        assert_eq!(inspect_public(KeyFormatType::Pkcs1, b""), None);
    }
}
