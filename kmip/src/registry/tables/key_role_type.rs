//! The enumeration Key Role Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Key Role Type. KMIP 1.4 §9.1.3.2.17.
    pub enum KeyRoleType = "Key Role Type" {
        Bdk = 0x01, "BDK", V1_0;
        Cvk = 0x02, "CVK", V1_0;
        Dek = 0x03, "DEK", V1_0;
        Mkac = 0x04, "MKAC", V1_0;
        Mksmc = 0x05, "MKSMC", V1_0;
        Mksmi = 0x06, "MKSMI", V1_0;
        Mkdac = 0x07, "MKDAC", V1_0;
        Mkdn = 0x08, "MKDN", V1_0;
        Mkcp = 0x09, "MKCP", V1_0;
        Mkoth = 0x0a, "MKOTH", V1_0;
        Kek = 0x0b, "KEK", V1_0;
        Mac16609 = 0x0c, "MAC16609", V1_0;
        Mac97971 = 0x0d, "MAC97971", V1_0;
        Mac97972 = 0x0e, "MAC97972", V1_0;
        Mac97973 = 0x0f, "MAC97973", V1_0;
        Mac97974 = 0x10, "MAC97974", V1_0;
        Mac97975 = 0x11, "MAC97975", V1_0;
        Zpk = 0x12, "ZPK", V1_0;
        Pvkibm = 0x13, "PVKIBM", V1_0;
        Pvkpvv = 0x14, "PVKPVV", V1_0;
        Pvkoth = 0x15, "PVKOTH", V1_0;
        Dukpt = 0x16, "DUKPT", V1_4;
        Iv = 0x17, "IV", V1_4;
        Trkbk = 0x18, "TRKBK", V1_4;
    }
}
