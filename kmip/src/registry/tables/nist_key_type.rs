//! The enumeration NIST Key Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// NIST Key Type. KMIP 2.1 §11.
    pub enum NistKeyType = "NIST Key Type" {
        PrivateSignatureKey = 0x01, "Private signature key", V2_0;
        PublicSignatureVerificationKey = 0x02, "Public signature verification key", V2_0;
        SymmetricAuthenticationKey = 0x03, "Symmetric authentication key", V2_0;
        PrivateAuthenticationKey = 0x04, "Private authentication key", V2_0;
        PublicAuthenticationKey = 0x05, "Public authentication key", V2_0;
        SymmetricDataEncryptionKey = 0x06, "Symmetric data encryption key", V2_0;
        SymmetricKeyWrappingKey = 0x07, "Symmetric key wrapping key", V2_0;
        SymmetricRandomNumberGenerationKey = 0x08, "Symmetric random number generation key", V2_0;
        SymmetricMasterKey = 0x09, "Symmetric master key", V2_0;
        PrivateKeyTransportKey = 0x0a, "Private key transport key", V2_0;
        PublicKeyTransportKey = 0x0b, "Public key transport key", V2_0;
        SymmetricKeyAgreementKey = 0x0c, "Symmetric key agreement key", V2_0;
        PrivateStaticKeyAgreementKey = 0x0d, "Private static key agreement key", V2_0;
        PublicStaticKeyAgreementKey = 0x0e, "Public static key agreement key", V2_0;
        PrivateEphemeralKeyAgreementKey = 0x0f, "Private ephemeral key agreement key", V2_0;
        PublicEphemeralKeyAgreementKey = 0x10, "Public ephemeral key agreement key", V2_0;
        SymmetricAuthorizationKey = 0x11, "Symmetric authorization key", V2_0;
        PrivateAuthorizationKey = 0x12, "Private authorization key", V2_0;
        PublicAuthorizationKey = 0x13, "Public authorization key", V2_0;
    }
}
