//! The enumeration RNG Mode.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// RNG Mode. KMIP 1.4 §9.1.3.2.46.
    pub enum RngMode = "RNG Mode" {
        Unspecified = 0x01, "Unspecified", V1_3;
        SharedInstantiation = 0x02, "Shared Instantiation", V1_3;
        NonSharedInstantiation = 0x03, "Non-Shared Instantiation", V1_3;
    }
}
