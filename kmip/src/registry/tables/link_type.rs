//! The enumeration Link Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Link Type. KMIP 1.4 §9.1.3.2.20.
    pub enum LinkType = "Link Type" {
        CertificateLink = 0x101, "Certificate Link", V1_0;
        PublicKeyLink = 0x102, "Public Key Link", V1_0;
        PrivateKeyLink = 0x103, "Private Key Link", V1_0;
        DerivationBaseObjectLink = 0x104, "Derivation Base Object Link", V1_0;
        DerivedKeyLink = 0x105, "Derived Key Link", V1_0;
        ReplacementObjectLink = 0x106, "Replacement Object Link", V1_0;
        ReplacedObjectLink = 0x107, "Replaced Object Link", V1_0;
        ParentLink = 0x108, "Parent Link", V1_2;
        ChildLink = 0x109, "Child Link", V1_2;
        PreviousLink = 0x10a, "Previous Link", V1_2;
        NextLink = 0x10b, "Next Link", V1_2;
        Pkcs12CertificateLink = 0x10c, "PKCS#12 Certificate Link", V1_4;
        Pkcs12PasswordLink = 0x10d, "PKCS#12 Password Link", V1_4;
        WrappingKeyLink = 0x10e, "Wrapping Key Link", V2_0;
    }
}
