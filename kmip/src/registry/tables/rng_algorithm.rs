//! The enumeration RNG Algorithm.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// RNG Algorithm. KMIP 1.4 §9.1.3.2.37.
    pub enum RngAlgorithm = "RNG Algorithm" {
        Unspecified = 0x01, "Unspecified", V1_3;
        Fips186_2 = 0x02, "FIPS 186-2", V1_3;
        Drbg = 0x03, "DRBG", V1_3;
        Nrbg = 0x04, "NRBG", V1_3;
        AnsiX9_31 = 0x05, "ANSI X9.31", V1_3;
        AnsiX9_62 = 0x06, "ANSI X9.62", V1_3;
    }
}
