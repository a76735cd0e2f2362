//! The enumeration Unique Identifier.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Unique Identifier. KMIP 2.1 §11.
    pub enum UniqueIdentifierPlaceholder = "Unique Identifier" {
        IdPlaceholder = 0x01, "ID Placeholder", V2_0;
        Certify = 0x02, "Certify", V2_0;
        Create = 0x03, "Create", V2_0;
        CreateKeyPair = 0x04, "Create Key Pair", V2_0;
        CreateKeyPairPrivateKey = 0x05, "Create Key Pair Private Key", V2_0;
        CreateKeyPairPublicKey = 0x06, "Create Key Pair Public Key", V2_0;
        CreateSplitKey = 0x07, "Create Split Key", V2_0;
        DeriveKey = 0x08, "Derive Key", V2_0;
        Import = 0x09, "Import", V2_0;
        JoinSplitKey = 0x0a, "Join Split Key", V2_0;
        Locate = 0x0b, "Locate", V2_0;
        Register = 0x0c, "Register", V2_0;
        ReKey = 0x0d, "Re-key", V2_0;
        ReCertify = 0x0e, "Re-certify", V2_0;
        ReKeyKeyPair = 0x0f, "Re-key Key Pair", V2_0;
        ReKeyKeyPairPrivateKey = 0x10, "Re-key Key Pair Private Key", V2_0;
        ReKeyKeyPairPublicKey = 0x11, "Re-key Key Pair Public Key", V2_0;
    }
}
