//! The enumeration State.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// State. KMIP 1.4 §9.1.3.2.18.
    pub enum State = "State" {
        PreActive = 0x01, "Pre-Active", V1_0;
        Active = 0x02, "Active", V1_0;
        Deactivated = 0x03, "Deactivated", V1_0;
        Compromised = 0x04, "Compromised", V1_0;
        Destroyed = 0x05, "Destroyed", V1_0;
        DestroyedCompromised = 0x06, "Destroyed Compromised", V1_0;
    }
}
