//! The enumeration Cancellation Result.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Cancellation Result. KMIP 1.4 §9.1.3.2.25.
    pub enum CancellationResult = "Cancellation Result" {
        Canceled = 0x01, "Canceled", V1_0;
        UnableToCancel = 0x02, "Unable to Cancel", V1_0;
        Completed = 0x03, "Completed", V1_0;
        Failed = 0x04, "Failed", V1_0;
        Unavailable = 0x05, "Unavailable", V1_0;
    }
}
