//! The enumeration FIPS186 Variation.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// FIPS186 Variation. KMIP 1.4 §9.1.3.2.39.
    pub enum Fips186Variation = "FIPS186 Variation" {
        Unspecified = 0x01, "Unspecified", V1_3;
        GpXOriginal = 0x02, "GP x-Original", V1_3;
        GpXChangeNotice = 0x03, "GP x-Change Notice", V1_3;
        XOriginal = 0x04, "x-Original", V1_3;
        XChangeNotice = 0x05, "x-Change Notice", V1_3;
        KOriginal = 0x06, "k-Original", V1_3;
        KChangeNotice = 0x07, "k-Change Notice", V1_3;
    }
}
