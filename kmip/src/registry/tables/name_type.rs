//! The enumeration Name Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Name Type. KMIP 1.4 §9.1.3.2.11.
    pub enum NameType = "Name Type" {
        UninterpretedTextString = 0x01, "Uninterpreted Text String", V1_0;
        Uri = 0x02, "URI", V1_0;
    }
}
