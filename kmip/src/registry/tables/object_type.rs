//! The enumeration Object Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Object Type. KMIP 1.4 §9.1.3.2.12.
    pub enum ObjectType = "Object Type" {
        Certificate = 0x01, "Certificate", V1_0;
        SymmetricKey = 0x02, "Symmetric Key", V1_0;
        PublicKey = 0x03, "Public Key", V1_0;
        PrivateKey = 0x04, "Private Key", V1_0;
        SplitKey = 0x05, "Split Key", V1_0;
        Template = 0x06, "Template", V1_0..=V1_4;
        SecretData = 0x07, "Secret Data", V1_0;
        OpaqueObject = 0x08, "Opaque Object", V1_0;
        PgpKey = 0x09, "PGP Key", V1_2;
        CertificateRequest = 0x0a, "Certificate Request", V2_0;
    }
}
