//! Signs a request's text with an administrator's own key.

use quorum::{Approval, Approver, KeyKind, public_key_info};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;

use crate::error::ClientError;

/// An administrator's key. Its `Debug` shows nothing.
pub struct Signer(Key);

enum Key {
    Ecdsa(KeyKind, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

fn wrong(text: &str) -> ClientError {
    ClientError::Configuration(text.to_owned())
}

impl Signer {
    /// The key in `key_pem`, PKCS#8: on P-256, on P-384, or of Ed25519.
    ///
    /// # Errors
    /// [`ClientError::Configuration`].
    pub fn from_pem(key_pem: &[u8]) -> Result<Self, ClientError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(key_pem)
            .map_err(|_| wrong("no private key in PKCS#8 in the key file ('openssl pkcs8 -topk8 -nodes' makes one)"))?;
        let der = der.secret_pkcs8_der();
        let random = SystemRandom::new();
        let on_curve =
            [(KeyKind::P256, &ECDSA_P256_SHA256_FIXED_SIGNING), (KeyKind::P384, &ECDSA_P384_SHA384_FIXED_SIGNING)]
                .into_iter()
                .find_map(|(kind, algorithm)| {
                    Some(Key::Ecdsa(kind, EcdsaKeyPair::from_pkcs8(algorithm, der, &random).ok()?))
                });
        let key = on_curve.or_else(|| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Key::Ed25519));
        key.map(Self).ok_or_else(|| wrong("approvals are signed with keys on P-256, on P-384, or of Ed25519"))
    }

    /// Signs exactly this text.
    ///
    /// # Errors
    /// [`ClientError::Configuration`] where the key does not sign.
    pub fn approve(&self, text: &str) -> Result<Approval, ClientError> {
        let fault = |_| wrong("the key does not sign");
        let (spki, signature) = match &self.0 {
            Key::Ecdsa(kind, pair) => (
                public_key_info(*kind, pair.public_key().as_ref()),
                pair.sign(&SystemRandom::new(), text.as_bytes()).map_err(fault)?.as_ref().to_vec(),
            ),
            Key::Ed25519(pair) => (
                public_key_info(KeyKind::Ed25519, pair.public_key().as_ref()),
                pair.sign(text.as_bytes()).as_ref().to_vec(),
            ),
        };
        let own = Approver::new("", &spki).map_err(|error| wrong(&error.to_string()))?;
        Ok(Approval { fingerprint: *own.fingerprint(), signature })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_certificate_signs_what_its_certificate_verifies() {
        let issued = certs::Authority::new("CA").unwrap().issue_client("officer1").unwrap();
        let approval = Signer::from_pem(issued.key_pem.as_bytes()).unwrap().approve("text").unwrap();
        assert_eq!(approval.fingerprint, certs::spki_fingerprint(&issued.cert_der).unwrap());
        let spki = certs::public_key_info(&issued.cert_der).unwrap();
        let officer = Approver::new("officer1", &spki).unwrap();
        assert!(officer.made(&approval, "text"));
        assert!(!officer.made(&approval, "texu"));
    }

    #[test]
    fn what_is_no_key_is_told() {
        assert!(Signer::from_pem(b"nothing").is_err());
    }
}
