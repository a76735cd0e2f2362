//! The enumeration Protection Level.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Protection Level. KMIP 2.1 §11.
    pub enum ProtectionLevel = "Protection Level" {
        High = 0x01, "High", V2_0;
        Low = 0x02, "Low", V2_0;
    }
}
