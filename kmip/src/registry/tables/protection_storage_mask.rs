//! The bit mask Protection Storage Mask.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_mask! {
    /// Protection Storage Mask. KMIP 2.1 §12.
    pub struct ProtectionStorageMask = "Protection Storage Mask" {
        SOFTWARE = 0x1, "Software", V2_0;
        HARDWARE = 0x2, "Hardware", V2_0;
        ON_PROCESSOR = 0x4, "On Processor", V2_0;
        ON_SYSTEM = 0x8, "On System", V2_0;
        OFF_SYSTEM = 0x10, "Off System", V2_0;
        HYPERVISOR = 0x20, "Hypervisor", V2_0;
        OPERATING_SYSTEM = 0x40, "Operating System", V2_0;
        CONTAINER = 0x80, "Container", V2_0;
        ON_PREMISES = 0x100, "On Premises", V2_0;
        OFF_PREMISES = 0x200, "Off Premises", V2_0;
        SELF_MANAGED = 0x400, "Self Managed", V2_0;
        OUTSOURCED = 0x800, "Outsourced", V2_0;
        VALIDATED = 0x1000, "Validated", V2_0;
        SAME_JURISDICTION = 0x2000, "Same Jurisdiction", V2_0;
    }
}
