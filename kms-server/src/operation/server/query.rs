//! Query: what this server can do, in the words of the client's version. KMIP 1.4 §4.25, 2.1 §6.1.40.
//!
//! Every answer is a statement of fact: of the operations from the list that the dispatcher goes by, of the rest from
//! the constants below and from what the operator switched off, announces and states. What there is nothing to say about
//! is left out.

use kmip::ProtocolVersion;
use kmip::attribute::ProtectionStorageMasks;
use kmip::payload::{CapabilityInformation, QueryRequest, QueryResponse, ServerInformation};
use kmip::registry::{
    ClientRegistrationMethod, DestroyAction, Operation, ProtectionStorageMask, QueryFunction as Asked, RngMode,
    ShreddingAlgorithm, UnwrapMode,
};

use super::defaults;
use crate::change::policy_of;
use crate::failure::Failure;
use crate::offer::{Offer, Unspecified};
use crate::operation::{OBJECT_TYPES, OFFERED, is_offered, is_permitted};
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

pub(in crate::operation) fn run(scope: &Scope<'_>, request: &QueryRequest) -> Result<QueryResponse, Failure> {
    let asks = |function| request.functions.contains(&function);
    let version = scope.version;
    let mut response = QueryResponse::default();
    if asks(Asked::QueryOperations) {
        let domain = &scope.domain.row;
        let may_be_asked = |one: &Operation| {
            is_offered(*one, version, &domain.policy, &scope.node.offer) && is_permitted(*one, domain.permissions)
        };
        response.operations = OFFERED.iter().copied().filter(may_be_asked).collect();
    }
    if asks(Asked::QueryObjects) {
        response.object_types = OBJECT_TYPES.into_iter().filter(|one| one.is_known_to(version)).collect();
    }
    if asks(Asked::QueryServerInformation) {
        response.vendor_identification = Some(VENDOR.to_owned());
        response.server_information = Some(Box::new(server_information(scope)));
    }
    if asks(Asked::QueryRnGs) {
        response.rng_parameters = scope.node.offer.generators(version);
    }
    if asks(Asked::QueryProfiles) {
        response.profile_information = scope.node.offer.profiles(version, policy_of(&scope.domain.row.policy));
    }
    if asks(Asked::QueryCapabilities) {
        response.capability_information = vec![capabilities(&scope.node.offer, version)];
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
    if asks(Asked::QueryValidations) {
        response.validation_information.clone_from(&scope.node.offer.validations);
    }
    // Nothing to say: no application data is made (QueryApplicationNamespaces), no tags are added
    // (QueryExtensionList, QueryExtensionMap), nobody attests (QueryAttestationTypes).
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

/// What the node does, but for what its operator leaves unspecified.
fn capabilities(offer: &Offer, version: ProtocolVersion) -> CapabilityInformation {
    let is_told = |capability| !offer.unspecified.contains(&capability);
    CapabilityInformation {
        streaming_capability: Some(offer.streaming),
        asynchronous_capability: Some(offer.asynchronous),
        attestation_capability: Some(false),
        batch_undo_capability: Some(offer.batch_undo),
        batch_continue_capability: Some(offer.batch_continue),
        // Wrapped keys are unwrapped where the client names the wrapping key.
        unwrap_mode: Some(match is_told(Unspecified::UnwrapMode) {
            true => UnwrapMode::NotProcessed,
            false => UnwrapMode::Unspecified,
        }),
        // The row stays, without the key bytes; the file system may keep what the database let go.
        destroy_action: Some(match is_told(Unspecified::DestroyAction) {
            true => DestroyAction::KeyMaterialDeleted,
            false => DestroyAction::Unspecified,
        }),
        shredding_algorithm: Some(match is_told(Unspecified::ShreddingAlgorithm) {
            true => ShreddingAlgorithm::Unsupported,
            false => ShreddingAlgorithm::Unspecified,
        }),
        rng_mode: Some(match is_told(Unspecified::RngMode) {
            true => RngMode::SharedInstantiation,
            false => RngMode::Unspecified,
        }),
        quantum_safe_capability: version.is_2_x().then_some(false),
    }
}

/// Keys are sealed under an HSM and kept in a database of the operator's own.
fn storage() -> ProtectionStorageMask {
    ProtectionStorageMask(
        ProtectionStorageMask::SOFTWARE.0 | ProtectionStorageMask::ON_SYSTEM.0 | ProtectionStorageMask::SELF_MANAGED.0,
    )
}
