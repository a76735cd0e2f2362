//! The enumeration Digital Signature Algorithm.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Digital Signature Algorithm. KMIP 1.4 §9.1.3.2.7.
    pub enum DigitalSignatureAlgorithm = "Digital Signature Algorithm" {
        Md2WithRsaEncryption = 0x01, "MD2 with RSA Encryption" | "MD2 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        Md5WithRsaEncryption = 0x02, "MD5 with RSA Encryption" | "MD5 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        Sha1WithRsaEncryption = 0x03, "SHA-1 with RSA Encryption" | "SHA-1 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        Sha224WithRsaEncryption = 0x04, "SHA-224 with RSA Encryption" | "SHA-224 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        Sha256WithRsaEncryption = 0x05, "SHA-256 with RSA Encryption" | "SHA-256 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        Sha384WithRsaEncryption = 0x06, "SHA-384 with RSA Encryption" | "SHA-384 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        Sha512WithRsaEncryption = 0x07, "SHA-512 with RSA Encryption" | "SHA-512 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        RsassaPss = 0x08, "RSASSA-PSS" | "RSASSA-PSS (PKCS#1 v2.1)", V1_1;
        DsaWithSha1 = 0x09, "DSA with SHA-1", V1_1;
        DsaWithSha224 = 0x0a, "DSA with SHA224", V1_1;
        DsaWithSha256 = 0x0b, "DSA with SHA256", V1_1;
        EcdsaWithSha1 = 0x0c, "ECDSA with SHA-1", V1_1;
        EcdsaWithSha224 = 0x0d, "ECDSA with SHA224", V1_1;
        EcdsaWithSha256 = 0x0e, "ECDSA with SHA256", V1_1;
        EcdsaWithSha384 = 0x0f, "ECDSA with SHA384", V1_1;
        EcdsaWithSha512 = 0x10, "ECDSA with SHA512", V1_1;
        Sha3_256WithRsaEncryption = 0x11, "SHA3-256 with RSA Encryption", V1_4;
        Sha3_384WithRsaEncryption = 0x12, "SHA3-384 with RSA Encryption", V1_4;
        Sha3_512WithRsaEncryption = 0x13, "SHA3-512 with RSA Encryption", V1_4;
    }
}
