//! The enumeration Processing Stage.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Processing Stage. KMIP 2.1 §11.
    pub enum ProcessingStage = "Processing Stage" {
        Submitted = 0x01, "Submitted", V2_1;
        InProcess = 0x02, "In Process", V2_1;
        Completed = 0x03, "Completed", V2_1;
    }
}
