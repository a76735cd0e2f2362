//! The enumeration Cryptographic Algorithm.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Cryptographic Algorithm. KMIP 1.4 §9.1.3.2.13.
    pub enum CryptographicAlgorithm = "Cryptographic Algorithm" {
        Des = 0x01, "DES", V1_0;
        TripleDes = 0x02, "3DES", V1_0;
        Aes = 0x03, "AES", V1_0;
        Rsa = 0x04, "RSA", V1_0;
        Dsa = 0x05, "DSA", V1_0;
        Ecdsa = 0x06, "ECDSA", V1_0;
        HmacSha1 = 0x07, "HMAC-SHA1", V1_0;
        HmacSha224 = 0x08, "HMAC-SHA224", V1_0;
        HmacSha256 = 0x09, "HMAC-SHA256", V1_0;
        HmacSha384 = 0x0a, "HMAC-SHA384", V1_0;
        HmacSha512 = 0x0b, "HMAC-SHA512", V1_0;
        HmacMd5 = 0x0c, "HMAC-MD5", V1_0;
        Dh = 0x0d, "DH", V1_0;
        Ecdh = 0x0e, "ECDH", V1_0;
        Ecmqv = 0x0f, "ECMQV", V1_0;
        Blowfish = 0x10, "Blowfish", V1_0;
        Camellia = 0x11, "Camellia", V1_0;
        Cast5 = 0x12, "CAST5", V1_0;
        Idea = 0x13, "IDEA", V1_0;
        Mars = 0x14, "MARS", V1_0;
        Rc2 = 0x15, "RC2", V1_0;
        Rc4 = 0x16, "RC4", V1_0;
        Rc5 = 0x17, "RC5", V1_0;
        Skipjack = 0x18, "SKIPJACK", V1_0;
        Twofish = 0x19, "Twofish", V1_0;
        Ec = 0x1a, "EC", V1_2;
        OneTimePad = 0x1b, "One Time Pad", V1_3;
        ChaCha20 = 0x1c, "ChaCha20", V1_4;
        Poly1305 = 0x1d, "Poly1305", V1_4;
        ChaCha20Poly1305 = 0x1e, "ChaCha20Poly1305", V1_4;
        Sha3_224 = 0x1f, "SHA3-224", V1_4;
        Sha3_256 = 0x20, "SHA3-256", V1_4;
        Sha3_384 = 0x21, "SHA3-384", V1_4;
        Sha3_512 = 0x22, "SHA3-512", V1_4;
        HmacSha3_224 = 0x23, "HMAC-SHA3-224", V1_4;
        HmacSha3_256 = 0x24, "HMAC-SHA3-256", V1_4;
        HmacSha3_384 = 0x25, "HMAC-SHA3-384", V1_4;
        HmacSha3_512 = 0x26, "HMAC-SHA3-512", V1_4;
        Shake128 = 0x27, "SHAKE-128", V1_4;
        Shake256 = 0x28, "SHAKE-256", V1_4;
        Aria = 0x29, "ARIA", V2_0;
        Seed = 0x2a, "SEED", V2_0;
        Sm2 = 0x2b, "SM2", V2_0;
        Sm3 = 0x2c, "SM3", V2_0;
        Sm4 = 0x2d, "SM4", V2_0;
        GostR34_10_2012 = 0x2e, "GOST R 34.10-2012", V2_0;
        GostR34_11_2012 = 0x2f, "GOST R 34.11-2012", V2_0;
        GostR34_13_2015 = 0x30, "GOST R 34.13-2015", V2_0;
        Gost28147_89 = 0x31, "GOST 28147-89", V2_0;
        Xmss = 0x32, "XMSS", V2_0;
        Sphincs256 = 0x33, "SPHINCS-256", V2_0;
        McEliece = 0x34, "McEliece", V2_0;
        McEliece6960119 = 0x35, "McEliece-6960119", V2_0;
        McEliece8192128 = 0x36, "McEliece-8192128", V2_0;
        Ed25519 = 0x37, "Ed25519", V2_0;
        Ed448 = 0x38, "Ed448", V2_0;
    }
}
