//! The enumeration Put Function.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Put Function. KMIP 1.4 §9.1.3.2.26.
    pub enum PutFunction = "Put Function" {
        New = 0x01, "New", V1_0;
        Replace = 0x02, "Replace", V1_0;
    }
}
