//! The enumeration Shredding Algorithm.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Shredding Algorithm. KMIP 1.4 §9.1.3.2.45.
    pub enum ShreddingAlgorithm = "Shredding Algorithm" {
        Unspecified = 0x01, "Unspecified", V1_3;
        Cryptographic = 0x02, "Cryptographic", V1_3;
        Unsupported = 0x03, "Unsupported", V1_3;
    }
}
