//! Query: what the server can do. KMIP 1.4 §4.25, 2.1 §6.1.40.

use crate::Tag;
use crate::attribute::RngParameters;
use crate::registry::{
    AttestationType, ClientRegistrationMethod, DestroyAction, ObjectType, Operation, ProfileName, QueryFunction,
    RngMode, ShreddingAlgorithm, UnwrapMode, ValidationAuthorityType, ValidationType,
};
use crate::ttlv::OwnedItem;
use crate::wire::structure;

structure! {
    /// What the client wants to know.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct QueryRequest {
        /// The questions; at least one.
        several functions: QueryFunction = Tag::QUERY_FUNCTION,
    }
}

structure! {
    /// The answers. What a client's version does not know is left out.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct QueryResponse {
        /// Operations the server supports.
        repeated operations: Operation = Tag::OPERATION,
        /// Objects the server supports.
        repeated object_types: ObjectType = Tag::OBJECT_TYPE,
        /// Who made the server.
        optional vendor_identification: String = Tag::VENDOR_IDENTIFICATION,
        /// A structure of the vendor's, kept as it came.
        optional server_information: OwnedItem = Tag::SERVER_INFORMATION,
        /// Name spaces for which the server makes application data.
        repeated application_namespaces: String = Tag::APPLICATION_NAMESPACE,
        /// Vendor's tags.
        repeated extension_information: ExtensionInformation = Tag::EXTENSION_INFORMATION [since V1_1],
        /// Attestations the server takes.
        repeated attestation_types: AttestationType = Tag::ATTESTATION_TYPE [since V1_2],
        /// Random number generators the server has.
        repeated rng_parameters: RngParameters = Tag::RNG_PARAMETERS [since V1_3],
        /// Profiles the server conforms to.
        repeated profile_information: ProfileInformation = Tag::PROFILE_INFORMATION [since V1_3],
        /// Validations the server has.
        repeated validation_information: ValidationInformation = Tag::VALIDATION_INFORMATION [since V1_3],
        /// Optional features the server has.
        repeated capability_information: CapabilityInformation = Tag::CAPABILITY_INFORMATION [since V1_3],
        /// How clients are registered.
        repeated client_registration_methods: ClientRegistrationMethod =
            Tag::CLIENT_REGISTRATION_METHOD [since V1_3],
    }
}

structure! {
    /// A tag in the vendor's range. KMIP 1.4 §2.1.9.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ExtensionInformation {
        /// Its name.
        required extension_name: String = Tag::EXTENSION_NAME,
        /// Its number.
        optional extension_tag: i32 = Tag::EXTENSION_TAG,
        /// The number of its type.
        optional extension_type: i32 = Tag::EXTENSION_TYPE,
    }
}

structure! {
    /// A profile the server conforms to. KMIP 1.4 §2.1.19.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ProfileInformation {
        /// The profile.
        required profile_name: ProfileName = Tag::PROFILE_NAME,
        /// Where the profile is served, if elsewhere.
        optional server_uri: String = Tag::SERVER_URI,
        /// At which port.
        optional server_port: i32 = Tag::SERVER_PORT,
    }
}

structure! {
    /// A validation of the server, such as FIPS 140. KMIP 1.4 §2.1.20.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ValidationInformation {
        /// Who validated.
        required validation_authority_type: ValidationAuthorityType = Tag::VALIDATION_AUTHORITY_TYPE,
        /// In which country.
        optional validation_authority_country: String = Tag::VALIDATION_AUTHORITY_COUNTRY,
        /// The authority's address.
        optional validation_authority_uri: String = Tag::VALIDATION_AUTHORITY_URI,
        /// Major version of the standard, such as the 2 of FIPS 140-2.
        required validation_version_major: i32 = Tag::VALIDATION_VERSION_MAJOR,
        /// Its minor version.
        optional validation_version_minor: i32 = Tag::VALIDATION_VERSION_MINOR,
        /// Hardware, software, or both.
        required validation_type: ValidationType = Tag::VALIDATION_TYPE,
        /// The level reached.
        required validation_level: i32 = Tag::VALIDATION_LEVEL,
        /// Number of the certificate.
        optional validation_certificate_identifier: String = Tag::VALIDATION_CERTIFICATE_IDENTIFIER,
        /// Address of the certificate.
        optional validation_certificate_uri: String = Tag::VALIDATION_CERTIFICATE_URI,
        /// Address of the vendor.
        optional validation_vendor_uri: String = Tag::VALIDATION_VENDOR_URI,
        /// Names of what was validated.
        repeated validation_profile: String = Tag::VALIDATION_PROFILE,
    }
}

structure! {
    /// Optional features. KMIP 1.4 §2.1.21.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct CapabilityInformation {
        /// Multi-part cryptographic operations.
        optional streaming_capability: bool = Tag::STREAMING_CAPABILITY,
        /// Asynchronous operations.
        optional asynchronous_capability: bool = Tag::ASYNCHRONOUS_CAPABILITY,
        /// Attestation.
        optional attestation_capability: bool = Tag::ATTESTATION_CAPABILITY,
        /// Batch Error Continuation Option Undo.
        optional batch_undo_capability: bool = Tag::BATCH_UNDO_CAPABILITY [since V1_4],
        /// Batch Error Continuation Option Continue.
        optional batch_continue_capability: bool = Tag::BATCH_CONTINUE_CAPABILITY [since V1_4],
        /// Whether wrapped keys are unwrapped on the way in.
        optional unwrap_mode: UnwrapMode = Tag::UNWRAP_MODE,
        /// What Destroy leaves behind.
        optional destroy_action: DestroyAction = Tag::DESTROY_ACTION,
        /// How storage is overwritten.
        optional shredding_algorithm: ShreddingAlgorithm = Tag::SHREDDING_ALGORITHM,
        /// Whose random numbers a client gets.
        optional rng_mode: RngMode = Tag::RNG_MODE,
    }
}
