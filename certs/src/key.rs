//! A private key for signing certificates, whose serialized form is wiped when it is dropped.

use rcgen::{KeyPair, PublicKeyData, SignatureAlgorithm, SigningKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use zeroize::{Zeroize, Zeroizing};

use crate::error::CertError;

/// An EC P-256 key, or on reading any kind that `ring` signs with.
///
/// `ring` keeps its own working copy of the number and does not wipe that; the serialized bytes are wiped.
pub(crate) struct WipedKey(KeyPair);

impl WipedKey {
    /// A new EC P-256 key: every TLS stack in the field takes it, and signing is fast.
    pub(crate) fn generate() -> Result<Self, CertError> {
        Ok(Self(KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?))
    }

    /// A key from the DER of PKCS#8.
    pub(crate) fn from_der(pkcs8: &[u8]) -> Result<Self, CertError> {
        KeyPair::try_from(&PrivatePkcs8KeyDer::from(pkcs8)).map(Self).map_err(|_| CertError::Key)
    }

    /// A key from PEM, section `PRIVATE KEY`.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, CertError> {
        use rustls_pki_types::pem::PemObject;
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| CertError::Key)?;
        Self::from_der(key.secret_pkcs8_der())
    }

    pub(crate) fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.serialize_pem())
    }

    pub(crate) fn to_der(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.serialize_der())
    }
}

impl Drop for WipedKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl PublicKeyData for WipedKey {
    fn der_bytes(&self) -> &[u8] {
        self.0.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        PublicKeyData::algorithm(&self.0)
    }
}

impl SigningKey for WipedKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.0.sign(message)
    }
}
