//! Query: what this server can do, in the words of the client's version. KMIP 1.4 §4.25, 2.1 §6.1.40.
//!
//! Every answer is a statement of fact: of the operations from the list that the dispatcher goes by, of the rest from
//! the constants below. What there is nothing to say about is left out.

use kmip::ProtocolVersion;
use kmip::attribute::ProtectionStorageMasks;
use kmip::payload::{CapabilityInformation, ProfileInformation, QueryRequest, QueryResponse, ServerInformation};
use kmip::registry::{
    ClientRegistrationMethod, DestroyAction, Operation, ProfileName, ProtectionStorageMask, QueryFunction as Asked,
    RngMode, ShreddingAlgorithm, UnwrapMode,
};
use policy::algorithm::AlgorithmPolicy;

use super::defaults;
use crate::change::policy_of;
use crate::failure::Failure;
use crate::operation::making::generator;
use crate::operation::{OBJECT_TYPES, OFFERED, is_offered};
use crate::scope::Scope;

/// Names the maker of the server, as the specification demands; clients show it to people.
const VENDOR: &str = "Clavis";

/// How clients become known. An administrator has the domain's authority make a key and a certificate, beforehand or
/// when somebody asks, or sign a request of the client's; or registers a certificate that the client has.
const REGISTRATION: [ClientRegistrationMethod; 4] = [
    ClientRegistrationMethod::ServerPreGenerated,
    ClientRegistrationMethod::ServerOnDemand,
    ClientRegistrationMethod::ClientGenerated,
    ClientRegistrationMethod::ClientRegistered,
];

/// Profiles that every domain conforms to: those whose cases pass whatever the domain's policy.
const PROFILES: [ProfileName; 18] = {
    use ProfileName as P;
    [
        P::TapeLibraryServerKmipV1_0,
        P::TapeLibraryServerKmipV1_1,
        P::TapeLibraryServerKmipV1_2,
        P::TapeLibraryServerKmipV1_3,
        P::TapeLibraryServerKmipV1_4,
        P::TapeLibraryServer,
        P::OpaqueManagedObjectStoreServerKmipV1_0,
        P::OpaqueManagedObjectStoreServerKmipV1_1,
        P::OpaqueManagedObjectStoreServerKmipV1_2,
        P::OpaqueManagedObjectStoreServerKmipV1_3,
        P::OpaqueManagedObjectStoreServerKmipV1_4,
        P::OpaqueManagedObjectStoreServer,
        P::StorageArrayWithSelfEncryptingDriveServerKmipV1_0,
        P::StorageArrayWithSelfEncryptingDriveServerKmipV1_1,
        P::StorageArrayWithSelfEncryptingDriveServerKmipV1_2,
        P::StorageArrayWithSelfEncryptingDriveServerKmipV1_3,
        P::StorageArrayWithSelfEncryptingDriveServerKmipV1_4,
        P::StorageArrayWithSelfEncryptingDriveServer,
    ]
};

/// Profiles that demand 3DES too, which only the policy `legacy` has.
const LEGACY_PROFILES: [ProfileName; 12] = {
    use ProfileName as P;
    [
        P::SymmetricKeyLifecycleServerKmipV1_0,
        P::SymmetricKeyLifecycleServerKmipV1_1,
        P::SymmetricKeyLifecycleServerKmipV1_2,
        P::SymmetricKeyLifecycleServerKmipV1_3,
        P::SymmetricKeyLifecycleServerKmipV1_4,
        P::SymmetricKeyLifecycleServer,
        P::SymmetricKeyFoundryServerKmipV1_0,
        P::SymmetricKeyFoundryServerKmipV1_1,
        P::SymmetricKeyFoundryServerKmipV1_2,
        P::SymmetricKeyFoundryServerKmipV1_3,
        P::SymmetricKeyFoundryServerKmipV1_4,
        P::SymmetricKeyFoundryServer,
    ]
};

pub(in crate::operation) fn run(scope: &Scope<'_>, request: &QueryRequest) -> Result<QueryResponse, Failure> {
    let asks = |function| request.functions.contains(&function);
    let version = scope.version;
    let mut response = QueryResponse::default();
    if asks(Asked::QueryOperations) {
        let is_offered = |one: &Operation| is_offered(*one, version, &scope.domain.row.policy);
        response.operations = OFFERED.iter().copied().filter(is_offered).collect();
    }
    if asks(Asked::QueryObjects) {
        response.object_types = OBJECT_TYPES.into_iter().filter(|one| one.is_known_to(version)).collect();
    }
    if asks(Asked::QueryServerInformation) {
        response.vendor_identification = Some(VENDOR.to_owned());
        response.server_information = Some(Box::new(server_information(scope)));
    }
    if asks(Asked::QueryRnGs) {
        response.rng_parameters = vec![generator::of_hsm()];
    }
    if asks(Asked::QueryProfiles) {
        response.profile_information = profiles(scope);
    }
    if asks(Asked::QueryCapabilities) {
        response.capability_information = vec![capabilities(version)];
    }
    if asks(Asked::QueryClientRegistrationMethods) {
        response.client_registration_methods = REGISTRATION.to_vec();
    }
    if asks(Asked::QueryDefaultsInformation) {
        response.defaults_information = Some(defaults::in_force(scope)?);
    }
    if asks(Asked::QueryStorageProtectionMasks) {
        response.protection_storage_masks = Some(ProtectionStorageMasks { masks: vec![storage()] });
    }
    // Nothing to say: no application data is made (QueryApplicationNamespaces), no tags are added
    // (QueryExtensionList, QueryExtensionMap), nobody attests (QueryAttestationTypes), nothing was validated
    // (QueryValidations).
    Ok(response)
}

/// In 1.x the structure is the vendor's, and ours says nothing.
fn server_information(scope: &Scope<'_>) -> ServerInformation {
    ServerInformation {
        server_name: Some(scope.node.kms.clone()),
        server_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        product_name: Some(VENDOR.to_owned()),
        ..ServerInformation::default()
    }
}

fn profiles(scope: &Scope<'_>) -> Vec<ProfileInformation> {
    let of_legacy = match policy_of(&scope.domain.row.policy) {
        AlgorithmPolicy::Legacy => &LEGACY_PROFILES[..],
        AlgorithmPolicy::Anssi => &[],
    };
    PROFILES
        .iter()
        .chain(of_legacy)
        .filter(|profile| profile.is_known_to(scope.version))
        .map(|profile| ProfileInformation {
            profile_name: *profile,
            profile_version: None,
            server_uri: None,
            server_port: None,
        })
        .collect()
}

fn capabilities(version: ProtocolVersion) -> CapabilityInformation {
    CapabilityInformation {
        streaming_capability: Some(OFFERED.contains(&Operation::Encrypt)),
        asynchronous_capability: Some(true),
        attestation_capability: Some(false),
        batch_undo_capability: Some(true),
        batch_continue_capability: Some(true),
        // Wrapped keys are unwrapped where the client names the wrapping key.
        unwrap_mode: Some(UnwrapMode::NotProcessed),
        // The row stays, without the key bytes; the file system may keep what the database let go.
        destroy_action: Some(DestroyAction::KeyMaterialDeleted),
        shredding_algorithm: Some(ShreddingAlgorithm::Unsupported),
        rng_mode: Some(RngMode::SharedInstantiation),
        quantum_safe_capability: version.is_2_x().then_some(false),
    }
}

/// Keys are sealed under an HSM and kept in a database of the operator's own.
fn storage() -> ProtectionStorageMask {
    ProtectionStorageMask(
        ProtectionStorageMask::SOFTWARE.0 | ProtectionStorageMask::ON_SYSTEM.0 | ProtectionStorageMask::SELF_MANAGED.0,
    )
}
