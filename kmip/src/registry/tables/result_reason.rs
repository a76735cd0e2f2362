//! The enumeration Result Reason.
//!
//! Written by `cargo run -p xtask -- registry`; not edited by hand.

wire_enum! {
    /// Result Reason. KMIP 1.4 §9.1.3.2.29.
    pub enum ResultReason = "Result Reason" {
        ItemNotFound = 0x01, "Item Not Found", V1_0;
        ResponseTooLarge = 0x02, "Response Too Large", V1_0;
        AuthenticationNotSuccessful = 0x03, "Authentication Not Successful", V1_0;
        InvalidMessage = 0x04, "Invalid Message", V1_0;
        OperationNotSupported = 0x05, "Operation Not Supported", V1_0;
        MissingData = 0x06, "Missing Data", V1_0;
        InvalidField = 0x07, "Invalid Field", V1_0;
        FeatureNotSupported = 0x08, "Feature Not Supported", V1_0;
        OperationCanceledByRequester = 0x09, "Operation Canceled By Requester", V1_0;
        CryptographicFailure = 0x0a, "Cryptographic Failure", V1_0;
        IllegalOperation = 0x0b, "Illegal Operation", V1_0..=V1_4;
        PermissionDenied = 0x0c, "Permission Denied", V1_0;
        ObjectArchived = 0x0d, "Object Archived", V1_0;
        IndexOutOfBounds = 0x0e, "Index Out of Bounds", V1_0..=V1_4;
        ApplicationNamespaceNotSupported = 0x0f, "Application Namespace Not Supported", V1_0;
        KeyFormatTypeNotSupported = 0x10, "Key Format Type Not Supported", V1_0;
        KeyCompressionTypeNotSupported = 0x11, "Key Compression Type Not Supported", V1_0;
        EncodingOptionError = 0x12, "Encoding Option Error", V1_1;
        KeyValueNotPresent = 0x13, "Key Value Not Present", V1_2;
        AttestationRequired = 0x14, "Attestation Required", V1_2;
        AttestationFailed = 0x15, "Attestation Failed", V1_2;
        Sensitive = 0x16, "Sensitive", V1_4;
        NotExtractable = 0x17, "Not Extractable", V1_4;
        ObjectAlreadyExists = 0x18, "Object Already Exists", V1_4;
        InvalidTicket = 0x19, "Invalid Ticket", V2_0;
        UsageLimitExceeded = 0x1a, "Usage Limit Exceeded", V2_0;
        NumericRange = 0x1b, "Numeric Range", V2_0;
        InvalidDataType = 0x1c, "Invalid Data Type", V2_0;
        ReadOnlyAttribute = 0x1d, "Read Only Attribute", V2_0;
        MultiValuedAttribute = 0x1e, "Multi Valued Attribute", V2_0;
        UnsupportedAttribute = 0x1f, "Unsupported Attribute", V2_0;
        AttributeInstanceNotFound = 0x20, "Attribute Instance Not Found", V2_0;
        AttributeNotFound = 0x21, "Attribute Not Found", V2_0;
        AttributeReadOnly = 0x22, "Attribute Read Only", V2_0;
        AttributeSingleValued = 0x23, "Attribute Single Valued", V2_0;
        BadCryptographicParameters = 0x24, "Bad Cryptographic Parameters", V2_0;
        BadPassword = 0x25, "Bad Password", V2_0;
        CodecError = 0x26, "Codec Error", V2_0;
        IllegalObjectType = 0x28, "Illegal Object Type", V2_0;
        IncompatibleCryptographicUsageMask = 0x29, "Incompatible Cryptographic Usage Mask", V2_0;
        InternalServerError = 0x2a, "Internal Server Error", V2_0;
        InvalidAsynchronousCorrelationValue = 0x2b, "Invalid Asynchronous Correlation Value", V2_0;
        InvalidAttribute = 0x2c, "Invalid Attribute", V2_0;
        InvalidAttributeValue = 0x2d, "Invalid Attribute Value", V2_0;
        InvalidCorrelationValue = 0x2e, "Invalid Correlation Value", V2_0;
        InvalidCsr = 0x2f, "Invalid CSR", V2_0;
        InvalidObjectType = 0x30, "Invalid Object Type", V2_0;
        KeyWrapTypeNotSupported = 0x32, "Key Wrap Type Not Supported", V2_0;
        MissingInitializationVector = 0x34, "Missing Initialization Vector", V2_0;
        NonUniqueNameAttribute = 0x35, "Non Unique Name Attribute", V2_0;
        ObjectDestroyed = 0x36, "Object Destroyed", V2_0;
        ObjectNotFound = 0x37, "Object Not Found", V2_0;
        NotAuthorised = 0x39, "Not Authorised" | "Not Authorized", V2_0;
        ServerLimitExceeded = 0x3a, "Server Limit Exceeded", V2_0;
        UnknownEnumeration = 0x3b, "Unknown Enumeration", V2_0;
        UnknownMessageExtension = 0x3c, "Unknown Message Extension", V2_0;
        UnknownTag = 0x3d, "Unknown Tag", V2_0;
        UnsupportedCryptographicParameters = 0x3e, "Unsupported Cryptographic Parameters", V2_0;
        UnsupportedProtocolVersion = 0x3f, "Unsupported Protocol Version", V2_0;
        WrappingObjectArchived = 0x40, "Wrapping Object Archived", V2_0;
        WrappingObjectDestroyed = 0x41, "Wrapping Object Destroyed", V2_0;
        WrappingObjectNotFound = 0x42, "Wrapping Object Not Found", V2_0;
        WrongKeyLifecycleState = 0x43, "Wrong Key Lifecycle State", V2_0;
        ProtectionStorageUnavailable = 0x44, "Protection Storage Unavailable", V2_0;
        Pkcs11CodecError = 0x45, "PKCS#11 Codec Error", V2_0;
        Pkcs11InvalidFunction = 0x46, "PKCS#11 Invalid Function", V2_0;
        Pkcs11InvalidInterface = 0x47, "PKCS#11 Invalid Interface", V2_0;
        PrivateProtectionStorageUnavailable = 0x48, "Private Protection Storage Unavailable", V2_0;
        PublicProtectionStorageUnavailable = 0x49, "Public Protection Storage Unavailable", V2_0;
        UnknownObjectGroup = 0x4a, "Unknown Object Group", V2_1;
        ConstraintViolation = 0x4b, "Constraint Violation", V2_1;
        DuplicateProcessRequest = 0x4c, "Duplicate Process Request", V2_1;
        GeneralFailure = 0x100, "General Failure", V1_0;
    }
}
