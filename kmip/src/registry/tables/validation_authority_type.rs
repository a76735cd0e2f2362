//! The enumeration Validation Authority Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Validation Authority Type. KMIP 1.4 §9.1.3.2.40.
    pub enum ValidationAuthorityType = "Validation Authority Type" {
        Unspecified = 0x01, "Unspecified", V1_3;
        NistCmvp = 0x02, "NIST CMVP", V1_3;
        CommonCriteria = 0x03, "Common Criteria", V1_3;
    }
}
