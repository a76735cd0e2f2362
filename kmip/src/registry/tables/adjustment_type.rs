//! The enumeration Adjustment Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Adjustment Type. KMIP 2.0 §11.1.
    pub enum AdjustmentType = "Adjustment Type" {
        Increment = 0x01, "Increment", V2_0;
        Decrement = 0x02, "Decrement", V2_0;
        Negate = 0x03, "Negate", V2_0;
    }
}
