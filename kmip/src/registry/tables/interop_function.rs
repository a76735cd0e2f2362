//! The enumeration Interop Function.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Interop Function. KMIP 2.0 §11.22.
    pub enum InteropFunction = "Interop Function" {
        Begin = 0x01, "Begin", V2_0;
        End = 0x02, "End", V2_0;
        Reset = 0x03, "Reset", V2_0;
    }
}
