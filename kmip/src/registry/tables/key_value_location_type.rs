//! The enumeration Key Value Location Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Key Value Location Type. KMIP 1.4 §9.1.3.2.35.
    pub enum KeyValueLocationType = "Key Value Location Type" {
        UninterpretedTextString = 0x01, "Uninterpreted Text String", V1_2;
        Uri = 0x02, "URI", V1_2;
    }
}
