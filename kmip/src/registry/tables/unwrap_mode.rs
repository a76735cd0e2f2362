//! The enumeration Unwrap Mode.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Unwrap Mode. KMIP 1.4 §9.1.3.2.43.
    pub enum UnwrapMode = "Unwrap Mode" {
        Unspecified = 0x01, "Unspecified", V1_3;
        Processed = 0x02, "Processed", V1_3;
        NotProcessed = 0x03, "Not Processed", V1_3;
    }
}
