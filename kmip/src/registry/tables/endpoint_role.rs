//! The enumeration Endpoint Role.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Endpoint Role. KMIP 2.0 §11.19.
    pub enum EndpointRole = "Endpoint Role" {
        Client = 0x01, "Client", V2_0;
        Server = 0x02, "Server", V2_0;
    }
}
