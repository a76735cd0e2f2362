//! The enumeration Split Key Method.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Split Key Method. KMIP 1.4 §9.1.3.2.8.
    pub enum SplitKeyMethod = "Split Key Method" {
        Xor = 0x01, "XOR", V1_0;
        PolynomialSharingGf2_16 = 0x02, "Polynomial Sharing GF (2^16)", V1_0;
        PolynomialSharingPrimeField = 0x03, "Polynomial Sharing Prime Field", V1_0;
        PolynomialSharingGf2_8 = 0x04, "Polynomial Sharing GF (2^8)", V1_2;
    }
}
