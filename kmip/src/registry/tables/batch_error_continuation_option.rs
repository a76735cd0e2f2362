//! The enumeration Batch Error Continuation Option.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Batch Error Continuation Option. KMIP 1.4 §9.1.3.2.30.
    pub enum BatchErrorContinuationOption = "Batch Error Continuation Option" {
        Continue = 0x01, "Continue", V1_0;
        Stop = 0x02, "Stop", V1_0;
        Undo = 0x03, "Undo", V1_0;
    }
}
