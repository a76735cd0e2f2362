//! The enumeration Recommended Curve.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Recommended Curve. KMIP 1.4 §9.1.3.2.5.
    pub enum RecommendedCurve = "Recommended Curve" {
        P192 = 0x01, "P-192", V1_0;
        K163 = 0x02, "K-163", V1_0;
        B163 = 0x03, "B-163", V1_0;
        P224 = 0x04, "P-224", V1_0;
        K233 = 0x05, "K-233", V1_0;
        B233 = 0x06, "B-233", V1_0;
        P256 = 0x07, "P-256", V1_0;
        K283 = 0x08, "K-283", V1_0;
        B283 = 0x09, "B-283", V1_0;
        P384 = 0x0a, "P-384", V1_0;
        K409 = 0x0b, "K-409", V1_0;
        B409 = 0x0c, "B-409", V1_0;
        P521 = 0x0d, "P-521", V1_0;
        K571 = 0x0e, "K-571", V1_0;
        B571 = 0x0f, "B-571", V1_0;
        Secp112r1 = 0x10, "SECP112R1", V1_2;
        Secp112r2 = 0x11, "SECP112R2", V1_2;
        Secp128r1 = 0x12, "SECP128R1", V1_2;
        Secp128r2 = 0x13, "SECP128R2", V1_2;
        Secp160k1 = 0x14, "SECP160K1", V1_2;
        Secp160r1 = 0x15, "SECP160R1", V1_2;
        Secp160r2 = 0x16, "SECP160R2", V1_2;
        Secp192k1 = 0x17, "SECP192K1", V1_2;
        Secp224k1 = 0x18, "SECP224K1", V1_2;
        Secp256k1 = 0x19, "SECP256K1", V1_2;
        Sect113r1 = 0x1a, "SECT113R1", V1_2;
        Sect113r2 = 0x1b, "SECT113R2", V1_2;
        Sect131r1 = 0x1c, "SECT131R1", V1_2;
        Sect131r2 = 0x1d, "SECT131R2", V1_2;
        Sect163r1 = 0x1e, "SECT163R1", V1_2;
        Sect193r1 = 0x1f, "SECT193R1", V1_2;
        Sect193r2 = 0x20, "SECT193R2", V1_2;
        Sect239k1 = 0x21, "SECT239K1", V1_2;
        Ansix9p192v2 = 0x22, "ANSIX9P192V2", V1_2;
        Ansix9p192v3 = 0x23, "ANSIX9P192V3", V1_2;
        Ansix9p239v1 = 0x24, "ANSIX9P239V1", V1_2;
        Ansix9p239v2 = 0x25, "ANSIX9P239V2", V1_2;
        Ansix9p239v3 = 0x26, "ANSIX9P239V3", V1_2;
        Ansix9c2pnb163v1 = 0x27, "ANSIX9C2PNB163V1", V1_2;
        Ansix9c2pnb163v2 = 0x28, "ANSIX9C2PNB163V2", V1_2;
        Ansix9c2pnb163v3 = 0x29, "ANSIX9C2PNB163V3", V1_2;
        Ansix9c2pnb176v1 = 0x2a, "ANSIX9C2PNB176V1", V1_2;
        Ansix9c2tnb191v1 = 0x2b, "ANSIX9C2TNB191V1", V1_2;
        Ansix9c2tnb191v2 = 0x2c, "ANSIX9C2TNB191V2", V1_2;
        Ansix9c2tnb191v3 = 0x2d, "ANSIX9C2TNB191V3", V1_2;
        Ansix9c2pnb208w1 = 0x2e, "ANSIX9C2PNB208W1", V1_2;
        Ansix9c2tnb239v1 = 0x2f, "ANSIX9C2TNB239V1", V1_2;
        Ansix9c2tnb239v2 = 0x30, "ANSIX9C2TNB239V2", V1_2;
        Ansix9c2tnb239v3 = 0x31, "ANSIX9C2TNB239V3", V1_2;
        Ansix9c2pnb272w1 = 0x32, "ANSIX9C2PNB272W1", V1_2;
        Ansix9c2pnb304w1 = 0x33, "ANSIX9C2PNB304W1", V1_2;
        Ansix9c2tnb359v1 = 0x34, "ANSIX9C2TNB359V1", V1_2;
        Ansix9c2pnb368w1 = 0x35, "ANSIX9C2PNB368W1", V1_2;
        Ansix9c2tnb431r1 = 0x36, "ANSIX9C2TNB431R1", V1_2;
        Brainpoolp160r1 = 0x37, "BRAINPOOLP160R1", V1_2;
        Brainpoolp160t1 = 0x38, "BRAINPOOLP160T1", V1_2;
        Brainpoolp192r1 = 0x39, "BRAINPOOLP192R1", V1_2;
        Brainpoolp192t1 = 0x3a, "BRAINPOOLP192T1", V1_2;
        Brainpoolp224r1 = 0x3b, "BRAINPOOLP224R1", V1_2;
        Brainpoolp224t1 = 0x3c, "BRAINPOOLP224T1", V1_2;
        Brainpoolp256r1 = 0x3d, "BRAINPOOLP256R1", V1_2;
        Brainpoolp256t1 = 0x3e, "BRAINPOOLP256T1", V1_2;
        Brainpoolp320r1 = 0x3f, "BRAINPOOLP320R1", V1_2;
        Brainpoolp320t1 = 0x40, "BRAINPOOLP320T1", V1_2;
        Brainpoolp384r1 = 0x41, "BRAINPOOLP384R1", V1_2;
        Brainpoolp384t1 = 0x42, "BRAINPOOLP384T1", V1_2;
        Brainpoolp512r1 = 0x43, "BRAINPOOLP512R1", V1_2;
        Brainpoolp512t1 = 0x44, "BRAINPOOLP512T1", V1_2;
        Curve25519 = 0x45, "CURVE25519", V2_0;
        Curve448 = 0x46, "CURVE448", V2_0;
    }
}
