//! The enumeration Certificate Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Certificate Type. KMIP 1.4 §9.1.3.2.6.
    pub enum CertificateType = "Certificate Type" {
        X509 = 0x01, "X.509", V1_0;
        Pgp = 0x02, "PGP", V1_0;
    }
}
