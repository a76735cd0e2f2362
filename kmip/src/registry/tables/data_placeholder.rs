//! The enumeration Data.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Data. KMIP 2.0 §11.13.
    pub enum DataPlaceholder = "Data" {
        Decrypt = 0x01, "Decrypt", V2_0;
        Encrypt = 0x02, "Encrypt", V2_0;
        Hash = 0x03, "Hash", V2_0;
        MacMacData = 0x04, "MAC MAC Data", V2_0;
        RngRetrieve = 0x05, "RNG Retrieve", V2_0;
        SignSignatureData = 0x06, "Sign Signature Data", V2_0;
        SignatureVerify = 0x07, "Signature Verify", V2_0;
    }
}
