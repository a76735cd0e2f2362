//! The enumeration Alternative Name Type.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Alternative Name Type. KMIP 1.4 §9.1.3.2.34.
    pub enum AlternativeNameType = "Alternative Name Type" {
        UninterpretedTextString = 0x01, "Uninterpreted Text String", V1_2;
        Uri = 0x02, "URI", V1_2;
        ObjectSerialNumber = 0x03, "Object Serial Number", V1_2;
        EmailAddress = 0x04, "Email Address", V1_2;
        DnsName = 0x05, "DNS Name", V1_2;
        X500DistinguishedName = 0x06, "X.500 Distinguished Name", V1_2;
        IpAddress = 0x07, "IP Address", V1_2;
    }
}
