//! The enumeration Result Status.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Result Status. KMIP 1.4 §9.1.3.2.28.
    pub enum ResultStatus = "Result Status" {
        Success = 0x00, "Success", V1_0;
        OperationFailed = 0x01, "Operation Failed", V1_0;
        OperationPending = 0x02, "Operation Pending", V1_0;
        OperationUndone = 0x03, "Operation Undone", V1_0;
    }
}
