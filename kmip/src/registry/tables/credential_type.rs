//! The enumeration Credential Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Credential Type. KMIP 1.4 §9.1.3.2.1.
    pub enum CredentialType = "Credential Type" {
        UsernameAndPassword = 0x01, "Username and Password", V1_0;
        Device = 0x02, "Device", V1_1;
        Attestation = 0x03, "Attestation", V1_2;
        OneTimePassword = 0x04, "One Time Password", V2_0;
        HashedPassword = 0x05, "Hashed Password", V2_0;
        Ticket = 0x06, "Ticket", V2_0;
    }
}
