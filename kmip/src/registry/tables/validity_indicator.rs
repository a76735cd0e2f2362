//! The enumeration Validity Indicator.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Validity Indicator. KMIP 1.4 §9.1.3.2.23.
    pub enum ValidityIndicator = "Validity Indicator" {
        Valid = 0x01, "Valid", V1_0;
        Invalid = 0x02, "Invalid", V1_0;
        Unknown = 0x03, "Unknown", V1_0;
    }
}
