//! The enumeration Block Cipher Mode.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Block Cipher Mode. KMIP 1.4 §9.1.3.2.14.
    pub enum BlockCipherMode = "Block Cipher Mode" {
        Cbc = 0x01, "CBC", V1_0;
        Ecb = 0x02, "ECB", V1_0;
        Pcbc = 0x03, "PCBC", V1_0;
        Cfb = 0x04, "CFB", V1_0;
        Ofb = 0x05, "OFB", V1_0;
        Ctr = 0x06, "CTR", V1_0;
        Cmac = 0x07, "CMAC", V1_0;
        Ccm = 0x08, "CCM", V1_0;
        Gcm = 0x09, "GCM", V1_0;
        CbcMac = 0x0a, "CBC-MAC", V1_0;
        Xts = 0x0b, "XTS", V1_0;
        AesKeyWrapPadding = 0x0c, "AESKeyWrapPadding", V1_0;
        NistKeyWrap = 0x0d, "NISTKeyWrap", V1_0;
        X9_102Aeskw = 0x0e, "X9.102 AESKW", V1_0;
        X9_102Tdkw = 0x0f, "X9.102 TDKW", V1_0;
        X9_102Akw1 = 0x10, "X9.102 AKW1", V1_0;
        X9_102Akw2 = 0x11, "X9.102 AKW2", V1_0;
        Aead = 0x12, "AEAD", V1_4;
    }
}
