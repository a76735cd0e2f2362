//! The enumeration Usage Limits Unit.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Usage Limits Unit. KMIP 1.4 §9.1.3.2.31.
    pub enum UsageLimitsUnit = "Usage Limits Unit" {
        Byte = 0x01, "Byte", V1_0;
        Object = 0x02, "Object", V1_0;
    }
}
