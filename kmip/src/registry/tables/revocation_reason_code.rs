//! The enumeration Revocation Reason Code.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Revocation Reason Code. KMIP 1.4 §9.1.3.2.19.
    pub enum RevocationReasonCode = "Revocation Reason Code" {
        Unspecified = 0x01, "Unspecified", V1_0;
        KeyCompromise = 0x02, "Key Compromise", V1_0;
        CaCompromise = 0x03, "CA Compromise", V1_0;
        AffiliationChanged = 0x04, "Affiliation Changed", V1_0;
        Superseded = 0x05, "Superseded", V1_0;
        CessationOfOperation = 0x06, "Cessation of Operation", V1_0;
        PrivilegeWithdrawn = 0x07, "Privilege Withdrawn", V1_0;
    }
}
