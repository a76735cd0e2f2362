//! One file per operation, a folder per family: what it reads, what it would change, what it answers. None commits.
//!
//! An operation gets a [`Scope`] and its typed request and returns a typed response. Changes go into the scope's draft;
//! the dispatcher commits them together with the audit record, and only then does an answer leave.

mod attribute;
mod cryptography;
mod fetching;
mod life;
mod making;
mod server;
mod session;

use keystore::Permissions;
use kmip::ProtocolVersion;
use kmip::payload::{PingResponse, PollRequest, RequestPayload, ResponsePayload};
use kmip::registry::{ObjectType, Operation};
use policy::algorithm::AlgorithmPolicy;
use zeroize::Zeroizing;

use self::attribute::{
    add_attribute, adjust_attribute, delete_attribute, get_attribute_list, get_attributes, modify_attribute,
    set_attribute,
};
use self::cryptography::{
    decrypt, encrypt, get_usage_allocation, hash, mac, mac_verify, pkcs11, rng_retrieve, rng_seed, sign,
    signature_verify,
};
use self::fetching::{export, get, import, locate};
use self::life::{activate, archive, check, destroy, obtain_lease, recover, revoke, validate};
use self::making::{
    certify, create, create_key_pair, create_split_key, derive_key, join_split_key, re_certify, re_key,
    re_key_key_pair, re_provision, register,
};
use self::server::{constraints, defaults, discover_versions, interop, log, news, query, set_endpoint_role};
use self::session::{cancel, delegated_login, login, logout, poll, process, query_asynchronous_requests};
use crate::change::policy_of;
use crate::failure::Failure;
use crate::offer::Offer;
use crate::scope::Scope;

/// Every operation offered, in the order Query lists them.
const OFFERED: &[Operation] = &[
    Operation::Create,
    Operation::CreateKeyPair,
    Operation::ReKey,
    Operation::ReKeyKeyPair,
    Operation::DeriveKey,
    Operation::Certify,
    Operation::ReCertify,
    Operation::CreateSplitKey,
    Operation::JoinSplitKey,
    Operation::Register,
    Operation::Locate,
    Operation::Check,
    Operation::Get,
    Operation::GetAttributes,
    Operation::GetAttributeList,
    Operation::AddAttribute,
    Operation::ModifyAttribute,
    Operation::DeleteAttribute,
    Operation::Activate,
    Operation::Revoke,
    Operation::Destroy,
    Operation::SetAttribute,
    Operation::AdjustAttribute,
    Operation::ObtainLease,
    Operation::Archive,
    Operation::Recover,
    Operation::Validate,
    Operation::Export,
    Operation::Import,
    Operation::GetUsageAllocation,
    Operation::Query,
    Operation::DiscoverVersions,
    Operation::Cancel,
    Operation::Poll,
    Operation::Process,
    Operation::QueryAsynchronousRequests,
    Operation::GetConstraints,
    Operation::SetConstraints,
    Operation::SetDefaults,
    Operation::Login,
    Operation::Logout,
    Operation::DelegatedLogin,
    Operation::Log,
    Operation::Interop,
    Operation::ReProvision,
    Operation::Ping,
    Operation::SetEndpointRole,
    Operation::Notify,
    Operation::Put,
    Operation::Encrypt,
    Operation::Decrypt,
    Operation::Sign,
    Operation::SignatureVerify,
    Operation::Mac,
    Operation::MacVerify,
    Operation::Hash,
    Operation::RngRetrieve,
    Operation::RngSeed,
    Operation::Pkcs11,
];

/// Every object type that can be made or registered, in the order Query lists them.
const OBJECT_TYPES: [ObjectType; 10] = [
    ObjectType::Certificate,
    ObjectType::SymmetricKey,
    ObjectType::PublicKey,
    ObjectType::PrivateKey,
    ObjectType::SplitKey,
    ObjectType::Template,
    ObjectType::SecretData,
    ObjectType::OpaqueObject,
    ObjectType::PgpKey,
    ObjectType::CertificateRequest,
];

/// The protocol versions spoken, the preferred one first.
pub const VERSIONS: [ProtocolVersion; 7] = kmip::message::SUPPORTED_VERSIONS;

/// Whether the operation is offered to clients of `version` in a domain under `policy`, on a node that offers `offer`.
#[must_use]
pub fn is_offered(operation: Operation, version: ProtocolVersion, policy: &str, offer: &Offer) -> bool {
    // The specification keeps Interop out of production (KMIP 2.1 §6.1.26), and so does the policy made for it.
    let fits_policy = operation != Operation::Interop || policy_of(policy) == AlgorithmPolicy::Legacy;
    // These are about answers that come later, and about nothing else.
    let waits = matches!(
        operation,
        Operation::Poll | Operation::Cancel | Operation::Process | Operation::QueryAsynchronousRequests
    );
    OFFERED.contains(&operation) && operation.is_known_to(version) && fits_policy && (offer.asynchronous || !waits)
}

/// The permission of the domain's maker without which nobody carries out the operation there.
const fn needed(operation: Operation) -> Permissions {
    match operation {
        Operation::Export => Permissions::EXPORT,
        Operation::Import => Permissions::IMPORT,
        Operation::ReProvision => Permissions::RE_PROVISION,
        _ => Permissions(0),
    }
}

/// Whether the maker of a domain with these permissions lets its clients carry out the operation.
#[must_use]
pub const fn is_permitted(operation: Operation, permissions: Permissions) -> bool {
    permissions.allow(needed(operation))
}

/// Carries out a Poll, which is answered with the whole batch item of another operation.
///
/// # Errors
/// Why it failed.
pub async fn poll(
    scope: &mut Scope<'_>,
    request: &PollRequest,
    mark: Option<&[u8]>,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    poll::run(scope, request, mark).await
}

/// Carries out one batch item.
///
/// # Errors
/// Why the item failed; what it had drafted is then to be dropped.
pub async fn run(scope: &mut Scope<'_>, request: &RequestPayload) -> Result<ResponsePayload, Failure> {
    use RequestPayload as Q;
    if !is_permitted(request.operation(), scope.domain.row.permissions) {
        return Err(Failure::Denied("the domain's maker did not permit the operation"));
    }
    Ok(match request {
        Q::Create(request) => create::run(scope, request).await?.into(),
        Q::Register(request) => register::run(scope, request).await?.into(),
        Q::CreateKeyPair(request) => create_key_pair::run(scope, request).await?.into(),
        Q::ReKey(request) => re_key::run(scope, request).await?.into(),
        Q::ReKeyKeyPair(request) => re_key_key_pair::run(scope, request).await?.into(),
        Q::DeriveKey(request) => derive_key::run(scope, request).await?.into(),
        Q::Certify(request) => certify::run(scope, request).await?.into(),
        Q::ReCertify(request) => re_certify::run(scope, request).await?.into(),
        Q::CreateSplitKey(request) => create_split_key::run(scope, request).await?.into(),
        Q::JoinSplitKey(request) => join_split_key::run(scope, request).await?.into(),
        Q::Locate(request) => locate::run(scope, request).await?.into(),
        Q::Check(request) => check::run(scope, request).await?.into(),
        Q::Get(request) => get::run(scope, request).await?.into(),
        Q::GetAttributes(request) => get_attributes::run(scope, request).await?.into(),
        Q::GetAttributeList(request) => get_attribute_list::run(scope, request).await?.into(),
        Q::AddAttribute(request) => add_attribute::run(scope, request).await?.into(),
        Q::ModifyAttribute(request) => modify_attribute::run(scope, request).await?.into(),
        Q::DeleteAttribute(request) => delete_attribute::run(scope, request).await?.into(),
        Q::Activate(request) => activate::run(scope, request).await?.into(),
        Q::Revoke(request) => revoke::run(scope, request).await?.into(),
        Q::Destroy(request) => destroy::run(scope, request).await?.into(),
        Q::Import(request) => import::run(scope, request).await?.into(),
        Q::Export(request) => export::run(scope, request).await?.into(),
        Q::SetAttribute(request) => set_attribute::run(scope, request).await?.into(),
        Q::AdjustAttribute(request) => adjust_attribute::run(scope, request).await?.into(),
        Q::ObtainLease(request) => obtain_lease::run(scope, request).await?.into(),
        Q::Archive(request) => archive::run(scope, request).await?.into(),
        Q::Recover(request) => recover::run(scope, request).await?.into(),
        Q::Validate(request) => validate::run(scope, request).await?.into(),
        Q::Query(request) => query::run(scope, request)?.into(),
        Q::DiscoverVersions(request) => discover_versions::run(request).into(),
        Q::Cancel(request) => cancel::run(scope, request)?.into(),
        Q::Process(request) => process::run(scope, request)?.into(),
        Q::QueryAsynchronousRequests(request) => query_asynchronous_requests::run(scope, request).into(),
        Q::GetConstraints(_) => constraints::get(scope)?.into(),
        Q::SetConstraints(request) => constraints::set(scope, request)?.into(),
        Q::SetDefaults(request) => defaults::set(scope, request)?.into(),
        Q::Login(request) => login::run(scope, request).await?.into(),
        Q::Logout(request) => logout::run(scope, request)?.into(),
        Q::DelegatedLogin(request) => delegated_login::run(scope, request).await?.into(),
        Q::Log(request) => log::run(scope, request)?.into(),
        Q::Interop(request) => interop::run(scope, request).into(),
        Q::Ping(_) => PingResponse.into(),
        Q::SetEndpointRole(request) => set_endpoint_role::run(request)?.into(),
        Q::Notify(request) => news::notify(scope, request).await?.into(),
        Q::Put(request) => news::put(scope, request).await?.into(),
        Q::GetUsageAllocation(request) => get_usage_allocation::run(scope, request).await?.into(),
        Q::Encrypt(request) => encrypt::run(scope, request).await?.into(),
        Q::Decrypt(request) => decrypt::run(scope, request).await?.into(),
        Q::Sign(request) => sign::run(scope, request).await?.into(),
        Q::SignatureVerify(request) => signature_verify::run(scope, request).await?.into(),
        Q::Mac(request) => mac::run(scope, request).await?.into(),
        Q::MacVerify(request) => mac_verify::run(scope, request).await?.into(),
        Q::Hash(request) => hash::run(scope, request).await?.into(),
        Q::RngRetrieve(request) => rng_retrieve::run(scope, request).await?.into(),
        Q::RngSeed(request) => rng_seed::run(scope, request).await?.into(),
        Q::Pkcs11(request) => pkcs11::run(scope, request).await?.into(),
        Q::ReProvision(request) => re_provision::run(scope, request).await?.into(),
        // Answered by `poll` above.
        Q::Poll(_) => return Err(Failure::UnsupportedOperation),
    })
}
