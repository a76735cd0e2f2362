//! The enumeration Ticket Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Ticket Type. KMIP 2.1 §11.
    pub enum TicketType = "Ticket Type" {
        Login = 0x01, "Login", V2_0;
    }
}
