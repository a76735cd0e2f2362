//! The enumeration Wrapping Method.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Wrapping Method. KMIP 1.4 §9.1.3.2.4.
    pub enum WrappingMethod = "Wrapping Method" {
        Encrypt = 0x01, "Encrypt", V1_0;
        MacSign = 0x02, "MAC/sign", V1_0;
        EncryptThenMacSign = 0x03, "Encrypt then MAC/sign", V1_0;
        MacSignThenEncrypt = 0x04, "MAC/sign then encrypt", V1_0;
        Tr31 = 0x05, "TR-31", V1_0;
    }
}
