//! The enumeration Attestation Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Attestation Type. KMIP 1.4 §9.1.3.2.36.
    pub enum AttestationType = "Attestation Type" {
        TpmQuote = 0x01, "TPM Quote", V1_2;
        TcgIntegrityReport = 0x02, "TCG Integrity Report", V1_2;
        SamlAssertion = 0x03, "SAML Assertion", V1_2;
    }
}
