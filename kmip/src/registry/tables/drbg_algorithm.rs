//! The enumeration DRBG Algorithm.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// DRBG Algorithm. KMIP 1.4 §9.1.3.2.38.
    pub enum DrbgAlgorithm = "DRBG Algorithm" {
        Unspecified = 0x01, "Unspecified", V1_3;
        DualEc = 0x02, "Dual-EC", V1_3;
        Hash = 0x03, "Hash", V1_3;
        Hmac = 0x04, "HMAC", V1_3;
        Ctr = 0x05, "CTR", V1_3;
    }
}
