//! The enumeration Derivation Method.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Derivation Method. KMIP 1.4 §9.1.3.2.21.
    pub enum DerivationMethod = "Derivation Method" {
        Pbkdf2 = 0x01, "PBKDF2", V1_0;
        Hash = 0x02, "HASH", V1_0;
        Hmac = 0x03, "HMAC", V1_0;
        Encrypt = 0x04, "ENCRYPT", V1_0;
        Nist800_108C = 0x05, "NIST800-108-C", V1_0;
        Nist800_108F = 0x06, "NIST800-108-F", V1_0;
        Nist800_108Dpi = 0x07, "NIST800-108-DPI", V1_0;
        AsymmetricKey = 0x08, "Asymmetric Key", V1_4;
        AwsSignatureVersion4 = 0x09, "AWS Signature Version 4", V2_0;
        Hkdf = 0x0a, "HKDF", V2_0;
    }
}
