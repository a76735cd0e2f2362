//! The enumeration Hashing Algorithm.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Hashing Algorithm. KMIP 1.4 §9.1.3.2.16.
    pub enum HashingAlgorithm = "Hashing Algorithm" {
        Md2 = 0x01, "MD2", V1_0;
        Md4 = 0x02, "MD4", V1_0;
        Md5 = 0x03, "MD5", V1_0;
        Sha1 = 0x04, "SHA-1", V1_0;
        Sha224 = 0x05, "SHA-224", V1_0;
        Sha256 = 0x06, "SHA-256", V1_0;
        Sha384 = 0x07, "SHA-384", V1_0;
        Sha512 = 0x08, "SHA-512", V1_0;
        Ripemd160 = 0x09, "RIPEMD-160", V1_0;
        Tiger = 0x0a, "Tiger", V1_0;
        Whirlpool = 0x0b, "Whirlpool", V1_0;
        Sha512_224 = 0x0c, "SHA-512/224", V1_2;
        Sha512_256 = 0x0d, "SHA-512/256", V1_2;
        Sha3_224 = 0x0e, "SHA3-224" | "SHA-3-224", V1_4;
        Sha3_256 = 0x0f, "SHA3-256" | "SHA-3-256", V1_4;
        Sha3_384 = 0x10, "SHA3-384" | "SHA-3-384", V1_4;
        Sha3_512 = 0x11, "SHA3-512" | "SHA-3-512", V1_4;
    }
}
