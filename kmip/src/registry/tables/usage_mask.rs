//! The bit mask Cryptographic Usage Mask.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_mask! {
    /// Cryptographic Usage Mask. KMIP 1.4 §9.1.3.3.1.
    pub struct UsageMask = "Cryptographic Usage Mask" {
        SIGN = 0x1, "Sign", V1_0;
        VERIFY = 0x2, "Verify", V1_0;
        ENCRYPT = 0x4, "Encrypt", V1_0;
        DECRYPT = 0x8, "Decrypt", V1_0;
        WRAP_KEY = 0x10, "Wrap Key", V1_0;
        UNWRAP_KEY = 0x20, "Unwrap Key", V1_0;
        EXPORT = 0x40, "Export", V1_0..=V1_4;
        MAC_GENERATE = 0x80, "MAC Generate", V1_0;
        MAC_VERIFY = 0x100, "MAC Verify", V1_0;
        DERIVE_KEY = 0x200, "Derive Key", V1_0;
        CONTENT_COMMITMENT = 0x400, "Content Commitment (Non Repudiation)" | "Content Commitment", V1_0..=V1_4;
        KEY_AGREEMENT = 0x800, "Key Agreement", V1_0;
        CERTIFICATE_SIGN = 0x1000, "Certificate Sign", V1_0;
        CRL_SIGN = 0x2000, "CRL Sign", V1_0;
        GENERATE_CRYPTOGRAM = 0x4000, "Generate Cryptogram", V1_0..=V1_4;
        VALIDATE_CRYPTOGRAM = 0x8000, "Validate Cryptogram", V1_0..=V1_4;
        TRANSLATE_ENCRYPT = 0x10000, "Translate Encrypt", V1_0..=V1_4;
        TRANSLATE_DECRYPT = 0x20000, "Translate Decrypt", V1_0..=V1_4;
        TRANSLATE_WRAP = 0x40000, "Translate Wrap", V1_0..=V1_4;
        TRANSLATE_UNWRAP = 0x80000, "Translate Unwrap", V1_0..=V1_4;
        AUTHENTICATE = 0x100000, "Authenticate", V2_0;
        UNRESTRICTED = 0x200000, "Unrestricted", V2_0;
        FPE_ENCRYPT = 0x400000, "FPE Encrypt", V2_0;
        FPE_DECRYPT = 0x800000, "FPE Decrypt", V2_0;
    }
}
