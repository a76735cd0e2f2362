//! The enumeration Asynchronous Indicator.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Asynchronous Indicator. KMIP 2.0 §11.3.
    pub enum AsynchronousIndicator = "Asynchronous Indicator" {
        Mandatory = 0x01, "Mandatory", V2_0;
        Optional = 0x02, "Optional", V2_0;
        Prohibited = 0x03, "Prohibited", V2_0;
    }
}
