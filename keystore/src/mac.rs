//! The key that guards a domain's rows, and what is computed with it.

use std::fmt;

use ring::hmac;
use secret::{DomainId, Secret};

/// A MAC, HMAC-SHA256.
pub(crate) type Mac = [u8; 32];

/// Separates this derivation from all others that may start from the same secret.
const SALT: &[u8] = b"clavis keystore";
const PURPOSE: &[u8] = b"row mac 1";

/// The key that a domain's row MACs are made with. It guards integrity only; no key bytes can be opened with it.
///
/// It has no `Clone`, its `Debug` shows nothing, and its bytes are overwritten when it is dropped.
pub struct MacKey(Secret);

impl MacKey {
    /// Derives the key of `domain` from the domain's secret: HKDF-SHA256 (RFC 5869).
    #[must_use]
    pub fn from_secret(secret: &Secret, domain: DomainId) -> Self {
        let extracted = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SALT), secret.expose());
        // One block of output is one HMAC: T(1) of RFC 5869 §2.3 with the counter 1.
        let expand = hmac::Key::new(hmac::HMAC_SHA256, extracted.as_ref());
        let block = hmac::sign(&expand, &[PURPOSE, &domain[..], &[1]].concat());
        Self(Secret::copy_from(block.as_ref()))
    }

    fn key(&self) -> hmac::Key {
        // Made anew for each use: `ring` does not wipe its keys, so none of them lives long.
        hmac::Key::new(hmac::HMAC_SHA256, self.0.expose())
    }

    pub(crate) fn mac(&self, message: &[u8]) -> Mac {
        let mut mac = Mac::default();
        mac.copy_from_slice(hmac::sign(&self.key(), message).as_ref());
        mac
    }

    /// In constant time.
    pub(crate) fn verifies(&self, message: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.key(), message, mac).is_ok()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_with_the_same_secret_have_different_keys() {
        let secret = Secret::copy_from(&[7; 32]);
        let (one, other) = (MacKey::from_secret(&secret, [1; 16]), MacKey::from_secret(&secret, [2; 16]));
        assert_ne!(one.mac(b"row"), other.mac(b"row"));
        assert!(one.verifies(b"row", &one.mac(b"row")));
        assert!(!other.verifies(b"row", &one.mac(b"row")));
    }

    #[test]
    fn the_derivation_is_that_of_rfc_5869() {
        struct Len;
        impl ring::hkdf::KeyType for Len {
            fn len(&self) -> usize {
                32
            }
        }
        let mut expected = [0; 32];
        let extracted = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, SALT).extract(&[7; 32]);
        extracted.expand(&[PURPOSE, &[1; 16]], Len).unwrap().fill(&mut expected).unwrap();
        assert_eq!(MacKey::from_secret(&Secret::copy_from(&[7; 32]), [1; 16]).0.expose(), expected);
    }

    #[test]
    fn a_cut_mac_does_not_verify() {
        let key = MacKey::from_secret(&Secret::copy_from(&[7; 32]), [1; 16]);
        let mac = key.mac(b"row");
        assert!((0..mac.len()).all(|len| !key.verifies(b"row", &mac[..len])));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", MacKey::from_secret(&Secret::copy_from(b"marker"), [1; 16])), "MacKey");
    }
}
