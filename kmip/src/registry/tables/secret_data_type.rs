//! The enumeration Secret Data Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Secret Data Type. KMIP 1.4 §9.1.3.2.9.
    pub enum SecretDataType = "Secret Data Type" {
        Password = 0x01, "Password", V1_0;
        Seed = 0x02, "Seed", V1_0;
    }
}
