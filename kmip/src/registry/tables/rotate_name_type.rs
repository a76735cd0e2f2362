//! The enumeration Rotate Name Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Rotate Name Type. KMIP 2.1 §11.
    pub enum RotateNameType = "Rotate Name Type" {
        UninterpretedTextString = 0x01, "Uninterpreted Text String", V2_1;
        Uri = 0x02, "URI", V2_1;
    }
}
