//! The enumeration Certificate Request Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Certificate Request Type. KMIP 1.4 §9.1.3.2.22.
    pub enum CertificateRequestType = "Certificate Request Type" {
        Crmf = 0x01, "CRMF", V1_0;
        Pkcs10 = 0x02, "PKCS#10", V1_0;
        Pem = 0x03, "PEM", V1_0;
        Pgp = 0x04, "PGP", V1_0..=V1_4;
    }
}
