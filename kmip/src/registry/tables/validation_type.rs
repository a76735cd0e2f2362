//! The enumeration Validation Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Validation Type. KMIP 1.4 §9.1.3.2.41.
    pub enum ValidationType = "Validation Type" {
        Unspecified = 0x01, "Unspecified", V1_3;
        Hardware = 0x02, "Hardware", V1_3;
        Software = 0x03, "Software", V1_3;
        Firmware = 0x04, "Firmware", V1_3;
        Hybrid = 0x05, "Hybrid", V1_3;
    }
}
