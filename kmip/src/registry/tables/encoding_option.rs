//! The enumeration Encoding Option.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Encoding Option. KMIP 1.4 §9.1.3.2.32.
    pub enum EncodingOption = "Encoding Option" {
        NoEncoding = 0x01, "No Encoding", V1_1;
        TtlvEncoding = 0x02, "TTLV Encoding", V1_1;
    }
}
