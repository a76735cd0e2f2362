//! The enumeration Mask Generator.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Mask Generator. KMIP 1.4 §9.1.3.2.49.
    pub enum MaskGenerator = "Mask Generator" {
        Mgf1 = 0x01, "MGF1", V1_4;
    }
}
