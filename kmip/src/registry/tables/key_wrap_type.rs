//! The enumeration Key Wrap Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Key Wrap Type. KMIP 1.4 §9.1.3.2.48.
    pub enum KeyWrapType = "Key Wrap Type" {
        NotWrapped = 0x01, "Not Wrapped", V1_4;
        AsRegistered = 0x02, "As Registered", V1_4;
    }
}
