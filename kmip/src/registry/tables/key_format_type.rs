//! The enumeration Key Format Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Key Format Type. KMIP 1.4 §9.1.3.2.3.
    pub enum KeyFormatType = "Key Format Type" {
        Raw = 0x01, "Raw", V1_0;
        Opaque = 0x02, "Opaque", V1_0;
        Pkcs1 = 0x03, "PKCS#1", V1_0;
        Pkcs8 = 0x04, "PKCS#8", V1_0;
        X509 = 0x05, "X.509", V1_0;
        EcPrivateKey = 0x06, "ECPrivateKey", V1_0;
        TransparentSymmetricKey = 0x07, "Transparent Symmetric Key", V1_0;
        TransparentDsaPrivateKey = 0x08, "Transparent DSA Private Key", V1_0;
        TransparentDsaPublicKey = 0x09, "Transparent DSA Public Key", V1_0;
        TransparentRsaPrivateKey = 0x0a, "Transparent RSA Private Key", V1_0;
        TransparentRsaPublicKey = 0x0b, "Transparent RSA Public Key", V1_0;
        TransparentDhPrivateKey = 0x0c, "Transparent DH Private Key", V1_0;
        TransparentDhPublicKey = 0x0d, "Transparent DH Public Key", V1_0;
        TransparentEcdsaPrivateKey = 0x0e, "Transparent ECDSA Private Key", V1_0..=V1_4;
        TransparentEcdsaPublicKey = 0x0f, "Transparent ECDSA Public Key", V1_0..=V1_4;
        TransparentEcdhPrivateKey = 0x10, "Transparent ECDH Private Key", V1_0..=V1_4;
        TransparentEcdhPublicKey = 0x11, "Transparent ECDH Public Key", V1_0..=V1_4;
        TransparentEcmqvPrivateKey = 0x12, "Transparent ECMQV Private Key", V1_0..=V1_4;
        TransparentEcmqvPublicKey = 0x13, "Transparent ECMQV Public Key", V1_0..=V1_4;
        TransparentEcPrivateKey = 0x14, "Transparent EC Private Key", V1_3;
        TransparentEcPublicKey = 0x15, "Transparent EC Public Key", V1_3;
        Pkcs12 = 0x16, "PKCS#12", V1_4;
        Pkcs10 = 0x17, "PKCS#10", V2_0;
    }
}
