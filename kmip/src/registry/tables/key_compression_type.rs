//! The enumeration Key Compression Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Key Compression Type. KMIP 1.4 §9.1.3.2.2.
    pub enum KeyCompressionType = "Key Compression Type" {
        EcPublicKeyTypeUncompressed = 0x01, "EC Public Key Type Uncompressed", V1_0;
        EcPublicKeyTypeX9_62CompressedPrime = 0x02, "EC Public Key Type X9.62 Compressed Prime", V1_0;
        EcPublicKeyTypeX9_62CompressedChar2 = 0x03, "EC Public Key Type X9.62 Compressed Char2", V1_0;
        EcPublicKeyTypeX9_62Hybrid = 0x04, "EC Public Key Type X9.62 Hybrid", V1_0;
    }
}
