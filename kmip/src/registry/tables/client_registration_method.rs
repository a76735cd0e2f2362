//! The enumeration Client Registration Method.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Client Registration Method. KMIP 1.4 §9.1.3.2.47.
    pub enum ClientRegistrationMethod = "Client Registration Method" {
        Unspecified = 0x01, "Unspecified", V1_3;
        ServerPreGenerated = 0x02, "Server Pre-Generated", V1_3;
        ServerOnDemand = 0x03, "Server On-Demand", V1_3;
        ClientGenerated = 0x04, "Client Generated", V1_3;
        ClientRegistered = 0x05, "Client Registered", V1_3;
    }
}
