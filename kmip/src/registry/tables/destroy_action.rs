//! The enumeration Destroy Action.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Destroy Action. KMIP 1.4 §9.1.3.2.44.
    pub enum DestroyAction = "Destroy Action" {
        Unspecified = 0x01, "Unspecified", V1_3;
        KeyMaterialDeleted = 0x02, "Key Material Deleted", V1_3;
        KeyMaterialShredded = 0x03, "Key Material Shredded", V1_3;
        MetaDataDeleted = 0x04, "Meta Data Deleted", V1_3;
        MetaDataShredded = 0x05, "Meta Data Shredded", V1_3;
        Deleted = 0x06, "Deleted", V1_3;
        Shredded = 0x07, "Shredded", V1_3;
    }
}
