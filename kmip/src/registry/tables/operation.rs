//! The enumeration Operation.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Operation. KMIP 1.4 §9.1.3.2.27.
    pub enum Operation = "Operation" {
        Create = 0x01, "Create", V1_0;
        CreateKeyPair = 0x02, "Create Key Pair", V1_0;
        Register = 0x03, "Register", V1_0;
        ReKey = 0x04, "Re-key", V1_0;
        DeriveKey = 0x05, "Derive Key", V1_0;
        Certify = 0x06, "Certify", V1_0;
        ReCertify = 0x07, "Re-certify", V1_0;
        Locate = 0x08, "Locate", V1_0;
        Check = 0x09, "Check", V1_0;
        Get = 0x0a, "Get", V1_0;
        GetAttributes = 0x0b, "Get Attributes", V1_0;
        GetAttributeList = 0x0c, "Get Attribute List", V1_0;
        AddAttribute = 0x0d, "Add Attribute", V1_0;
        ModifyAttribute = 0x0e, "Modify Attribute", V1_0;
        DeleteAttribute = 0x0f, "Delete Attribute", V1_0;
        ObtainLease = 0x10, "Obtain Lease", V1_0;
        GetUsageAllocation = 0x11, "Get Usage Allocation", V1_0;
        Activate = 0x12, "Activate", V1_0;
        Revoke = 0x13, "Revoke", V1_0;
        Destroy = 0x14, "Destroy", V1_0;
        Archive = 0x15, "Archive", V1_0;
        Recover = 0x16, "Recover", V1_0;
        Validate = 0x17, "Validate", V1_0;
        Query = 0x18, "Query", V1_0;
        Cancel = 0x19, "Cancel", V1_0;
        Poll = 0x1a, "Poll", V1_0;
        Notify = 0x1b, "Notify", V1_0;
        Put = 0x1c, "Put", V1_0;
        ReKeyKeyPair = 0x1d, "Re-key Key Pair", V1_1;
        DiscoverVersions = 0x1e, "Discover Versions", V1_1;
        Encrypt = 0x1f, "Encrypt", V1_2;
        Decrypt = 0x20, "Decrypt", V1_2;
        Sign = 0x21, "Sign", V1_2;
        SignatureVerify = 0x22, "Signature Verify", V1_2;
        Mac = 0x23, "MAC", V1_2;
        MacVerify = 0x24, "MAC Verify", V1_2;
        RngRetrieve = 0x25, "RNG Retrieve", V1_2;
        RngSeed = 0x26, "RNG Seed", V1_2;
        Hash = 0x27, "Hash", V1_2;
        CreateSplitKey = 0x28, "Create Split Key", V1_2;
        JoinSplitKey = 0x29, "Join Split Key", V1_2;
        Import = 0x2a, "Import", V1_4;
        Export = 0x2b, "Export", V1_4;
        Log = 0x2c, "Log", V2_0;
        Login = 0x2d, "Login", V2_0;
        Logout = 0x2e, "Logout", V2_0;
        DelegatedLogin = 0x2f, "Delegated Login", V2_0;
        AdjustAttribute = 0x30, "Adjust Attribute", V2_0;
        SetAttribute = 0x31, "Set Attribute", V2_0;
        SetEndpointRole = 0x32, "Set Endpoint Role", V2_0;
        Pkcs11 = 0x33, "PKCS#11", V2_0;
        Interop = 0x34, "Interop", V2_0;
        ReProvision = 0x35, "Re-Provision", V2_0;
        SetDefaults = 0x36, "Set Defaults", V2_1;
        SetConstraints = 0x37, "Set Constraints", V2_1;
        GetConstraints = 0x38, "Get Constraints", V2_1;
        QueryAsynchronousRequests = 0x39, "Query Asynchronous Requests", V2_1;
        Process = 0x3a, "Process", V2_1;
        Ping = 0x3b, "Ping", V2_1;
    }
}
