//! The bit mask Storage Status Mask.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_mask! {
    /// Storage Status Mask. KMIP 1.4 §9.1.3.3.2.
    pub struct StorageStatusMask = "Storage Status Mask" {
        ON_LINE_STORAGE = 0x1, "On-line storage", V1_0;
        ARCHIVAL_STORAGE = 0x2, "Archival storage", V1_0;
        DESTROYED_STORAGE = 0x4, "Destroyed storage", V2_0;
    }
}
