//! The enumeration Query Function.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Query Function. KMIP 1.4 §9.1.3.2.24.
    pub enum QueryFunction = "Query Function" {
        QueryOperations = 0x01, "Query Operations", V1_0;
        QueryObjects = 0x02, "Query Objects", V1_0;
        QueryServerInformation = 0x03, "Query Server Information", V1_0;
        QueryApplicationNamespaces = 0x04, "Query Application Namespaces", V1_0;
        QueryExtensionList = 0x05, "Query Extension List", V1_1;
        QueryExtensionMap = 0x06, "Query Extension Map", V1_1;
        QueryAttestationTypes = 0x07, "Query Attestation Types", V1_2;
        QueryRnGs = 0x08, "Query RNGs", V1_3;
        QueryValidations = 0x09, "Query Validations", V1_3;
        QueryProfiles = 0x0a, "Query Profiles", V1_3;
        QueryCapabilities = 0x0b, "Query Capabilities", V1_3;
        QueryClientRegistrationMethods = 0x0c, "Query Client Registration Methods", V1_3;
        QueryDefaultsInformation = 0x0d, "Query Defaults Information", V2_0;
        QueryStorageProtectionMasks = 0x0e, "Query Storage Protection Masks", V2_0;
    }
}
