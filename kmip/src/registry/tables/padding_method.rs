//! The enumeration Padding Method.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Padding Method. KMIP 1.4 §9.1.3.2.15.
    pub enum PaddingMethod = "Padding Method" {
        None = 0x01, "None", V1_0;
        Oaep = 0x02, "OAEP", V1_0;
        Pkcs5 = 0x03, "PKCS5", V1_0;
        Ssl3 = 0x04, "SSL3", V1_0;
        Zeros = 0x05, "Zeros", V1_0;
        AnsiX9_23 = 0x06, "ANSI X9.23", V1_0;
        Iso10126 = 0x07, "ISO 10126", V1_0;
        Pkcs1V1_5 = 0x08, "PKCS1 v1.5", V1_0;
        X9_31 = 0x09, "X9.31", V1_0;
        Pss = 0x0a, "PSS", V1_0;
    }
}
