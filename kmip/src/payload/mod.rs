//! What an operation asks and answers: one file per verb. KMIP 1.4 §4, 2.1 §6.
//!
//! A payload says only which fields it has; how attributes, names and objects look in a version is decided by the
//! [parts](crate::wire::Part).

mod activate;
mod add_attribute;
mod adjust_attribute;
mod archive;
mod attribute_changes;
mod attribute_set;
mod cancel;
mod certificate_request_bytes;
mod certify;
mod check;
mod constraints;
mod create;
mod create_key_pair;
mod create_split_key;
mod data;
mod decrypt;
mod defaults;
mod delegated_login;
mod delete_attribute;
mod derivation_parameters;
mod derive_key;
mod destroy;
mod discover_versions;
mod empty;
mod encrypt;
mod export;
mod get;
mod get_attribute_list;
mod get_attributes;
mod get_constraints;
mod get_usage_allocation;
mod hash;
mod import;
mod interop;
mod join_split_key;
mod lists;
mod locate;
mod log;
mod login;
mod logout;
mod mac;
mod mac_verify;
mod modify_attribute;
mod notify;
mod obtain_lease;
mod ping;
mod pkcs11;
mod poll;
mod process;
mod put;
mod query;
mod query_asynchronous_requests;
mod re_certify;
mod re_key;
mod re_key_key_pair;
mod re_provision;
mod recover;
mod register;
mod revoke;
mod rights;
mod rng_retrieve;
mod rng_seed;
#[cfg(test)]
mod round_trip;
mod set_attribute;
mod set_constraints;
mod set_defaults;
mod set_endpoint_role;
mod sign;
mod signature_verify;
mod subject;
mod ticket;
mod validate;

pub use activate::{ActivateRequest, ActivateResponse};
pub use add_attribute::{AddAttributeRequest, AddAttributeResponse};
pub use adjust_attribute::{AdjustAttributeRequest, AdjustAttributeResponse};
pub use archive::{ArchiveRequest, ArchiveResponse};
pub use attribute_changes::{AttributeChanges, DeletedAttribute};
pub use attribute_set::AttributeSet;
pub use cancel::{CancelRequest, CancelResponse};
pub use certify::{CertifyRequest, CertifyResponse};
pub use check::{CheckRequest, CheckResponse};
pub use constraints::{Constraint, Constraints};
pub use create::{CreateRequest, CreateResponse};
pub use create_key_pair::{CreateKeyPairRequest, CreateKeyPairResponse};
pub use create_split_key::{CreateSplitKeyRequest, CreateSplitKeyResponse};
pub use data::Data;
pub use decrypt::{DecryptRequest, DecryptResponse};
pub use defaults::{DefaultsFor, DefaultsInformation, ObjectDefaults};
pub use delegated_login::{DelegatedLoginRequest, DelegatedLoginResponse};
pub use delete_attribute::{DeleteAttributeRequest, DeleteAttributeResponse};
pub use derivation_parameters::DerivationParameters;
pub use derive_key::{DeriveKeyRequest, DeriveKeyResponse};
pub use destroy::{DestroyRequest, DestroyResponse};
pub use discover_versions::{DiscoverVersionsRequest, DiscoverVersionsResponse};
pub use encrypt::{EncryptRequest, EncryptResponse};
pub use export::{ExportRequest, ExportResponse};
pub use get::{GetRequest, GetResponse};
pub use get_attribute_list::{GetAttributeListRequest, GetAttributeListResponse};
pub use get_attributes::{GetAttributesRequest, GetAttributesResponse};
pub use get_constraints::{GetConstraintsRequest, GetConstraintsResponse};
pub use get_usage_allocation::{GetUsageAllocationRequest, GetUsageAllocationResponse};
pub use hash::{HashRequest, HashResponse};
pub use import::{ImportRequest, ImportResponse};
pub use interop::{InteropRequest, InteropResponse};
pub use join_split_key::{JoinSplitKeyRequest, JoinSplitKeyResponse};
pub use lists::{ObjectGroups, ObjectTypes, Objects, Operations};
pub use locate::{LocateRequest, LocateResponse};
pub use log::{LogRequest, LogResponse};
pub use login::{LoginRequest, LoginResponse};
pub use logout::{LogoutRequest, LogoutResponse};
pub use mac::{MacRequest, MacResponse};
pub use mac_verify::{MacVerifyRequest, MacVerifyResponse};
pub use modify_attribute::{ModifyAttributeRequest, ModifyAttributeResponse};
pub use notify::{NotifyRequest, NotifyResponse};
pub use obtain_lease::{ObtainLeaseRequest, ObtainLeaseResponse};
pub use ping::{PingRequest, PingResponse};
pub use pkcs11::{Pkcs11Call, Pkcs11Request, Pkcs11Response};
pub use poll::{PollRequest, PollResponse};
pub use process::{ProcessRequest, ProcessResponse};
pub use put::{PutRequest, PutResponse};
pub use query::{
    CapabilityInformation, ExtensionInformation, ProfileInformation, ProfileVersion, QueryRequest, QueryResponse,
    ServerInformation, ValidationInformation,
};
pub use query_asynchronous_requests::{
    AsynchronousCorrelationValues, AsynchronousRequest, QueryAsynchronousRequestsRequest,
    QueryAsynchronousRequestsResponse,
};
pub use re_certify::{ReCertifyRequest, ReCertifyResponse};
pub use re_key::{ReKeyRequest, ReKeyResponse};
pub use re_key_key_pair::{ReKeyKeyPairRequest, ReKeyKeyPairResponse};
pub use re_provision::{ReProvisionRequest, ReProvisionResponse};
pub use recover::{RecoverRequest, RecoverResponse};
pub use register::{RegisterRequest, RegisterResponse};
pub use revoke::{RevokeRequest, RevokeResponse};
pub use rights::{Right, Rights};
pub use rng_retrieve::{RngRetrieveRequest, RngRetrieveResponse};
pub use rng_seed::{RngSeedRequest, RngSeedResponse};
pub use set_attribute::{SetAttributeRequest, SetAttributeResponse};
pub use set_constraints::{SetConstraintsRequest, SetConstraintsResponse};
pub use set_defaults::{SetDefaultsRequest, SetDefaultsResponse};
pub use set_endpoint_role::{SetEndpointRoleRequest, SetEndpointRoleResponse};
pub use sign::{SignRequest, SignResponse};
pub use signature_verify::{SignatureVerifyRequest, SignatureVerifyResponse};
pub use ticket::{Ticket, TicketLifetime};
pub use validate::{ValidateRequest, ValidateResponse};

pub use crate::attribute::Identifier;
use crate::registry::Operation;
use crate::ttlv::{DecodeError, Item, Wire, Writer};
use crate::{ProtocolVersion, Tag};

/// A request payload and the answer that belongs to it.
pub trait Verb: Into<RequestPayload> {
    /// The operation.
    const OPERATION: Operation;
    /// What a server answers when it succeeded.
    type Response: TryFrom<ResponsePayload, Error = ResponsePayload>;
}

macro_rules! payloads {
    ($( $verb:ident($request:ident, $response:ident) ),* $(,)?) => {
        /// The payload of a request.
        #[derive(Debug, PartialEq)]
        pub enum RequestPayload {
            $( #[doc = concat!("Operation ", stringify!($verb), ".")] $verb($request), )*
        }

        /// The payload of a response.
        #[derive(Debug, PartialEq)]
        pub enum ResponsePayload {
            $( #[doc = concat!("Operation ", stringify!($verb), ".")] $verb($response), )*
        }

        /// Every operation that has typed payloads.
        pub const TYPED_OPERATIONS: &[Operation] = &[$( Operation::$verb ),*];

        impl RequestPayload {
            /// The operation.
            #[must_use]
            pub const fn operation(&self) -> Operation {
                match self { $( Self::$verb(_) => Operation::$verb, )* }
            }

            pub(crate) fn encode(&self, w: &mut Writer) {
                match self { $( Self::$verb(payload) => payload.encode(Tag::REQUEST_PAYLOAD, w), )* }
            }

            pub(crate) fn decode(operation: Operation, item: &Item<'_>) -> Result<Self, DecodeError> {
                match operation {
                    $( Operation::$verb => $request::decode(item).map(Self::$verb), )*
                }
            }

            /// Whether a peer of `version` knows the operation and every value that cannot be left out.
            #[must_use]
            pub fn known_in(&self, version: ProtocolVersion) -> bool {
                self.operation().known_in(version)
                    && match self { $( Self::$verb(payload) => payload.known_in(version), )* }
            }
        }

        impl ResponsePayload {
            /// The operation.
            #[must_use]
            pub const fn operation(&self) -> Operation {
                match self { $( Self::$verb(_) => Operation::$verb, )* }
            }

            pub(crate) fn encode(&self, w: &mut Writer) {
                match self { $( Self::$verb(payload) => payload.encode(Tag::RESPONSE_PAYLOAD, w), )* }
            }

            pub(crate) fn decode(operation: Operation, item: &Item<'_>) -> Result<Self, DecodeError> {
                match operation {
                    $( Operation::$verb => $response::decode(item).map(Self::$verb), )*
                }
            }

            /// Whether a peer of `version` knows the operation and every value that cannot be left out.
            #[must_use]
            pub fn known_in(&self, version: ProtocolVersion) -> bool {
                self.operation().known_in(version)
                    && match self { $( Self::$verb(payload) => payload.known_in(version), )* }
            }
        }

        $(
            impl From<$request> for RequestPayload {
                fn from(payload: $request) -> Self {
                    Self::$verb(payload)
                }
            }

            impl From<$response> for ResponsePayload {
                fn from(payload: $response) -> Self {
                    Self::$verb(payload)
                }
            }

            impl TryFrom<ResponsePayload> for $response {
                type Error = ResponsePayload;

                fn try_from(payload: ResponsePayload) -> Result<Self, ResponsePayload> {
                    match payload {
                        ResponsePayload::$verb(payload) => Ok(payload),
                        other => Err(other),
                    }
                }
            }

            impl Verb for $request {
                const OPERATION: Operation = Operation::$verb;
                type Response = $response;
            }
        )*
    };
}

payloads! {
    DiscoverVersions(DiscoverVersionsRequest, DiscoverVersionsResponse),
    Query(QueryRequest, QueryResponse),
    Ping(PingRequest, PingResponse),
    Create(CreateRequest, CreateResponse),
    CreateKeyPair(CreateKeyPairRequest, CreateKeyPairResponse),
    Register(RegisterRequest, RegisterResponse),
    ReKey(ReKeyRequest, ReKeyResponse),
    ReKeyKeyPair(ReKeyKeyPairRequest, ReKeyKeyPairResponse),
    DeriveKey(DeriveKeyRequest, DeriveKeyResponse),
    Certify(CertifyRequest, CertifyResponse),
    ReCertify(ReCertifyRequest, ReCertifyResponse),
    CreateSplitKey(CreateSplitKeyRequest, CreateSplitKeyResponse),
    JoinSplitKey(JoinSplitKeyRequest, JoinSplitKeyResponse),
    Import(ImportRequest, ImportResponse),
    Export(ExportRequest, ExportResponse),
    Get(GetRequest, GetResponse),
    GetAttributes(GetAttributesRequest, GetAttributesResponse),
    GetAttributeList(GetAttributeListRequest, GetAttributeListResponse),
    AddAttribute(AddAttributeRequest, AddAttributeResponse),
    ModifyAttribute(ModifyAttributeRequest, ModifyAttributeResponse),
    DeleteAttribute(DeleteAttributeRequest, DeleteAttributeResponse),
    SetAttribute(SetAttributeRequest, SetAttributeResponse),
    AdjustAttribute(AdjustAttributeRequest, AdjustAttributeResponse),
    Locate(LocateRequest, LocateResponse),
    Check(CheckRequest, CheckResponse),
    ObtainLease(ObtainLeaseRequest, ObtainLeaseResponse),
    GetUsageAllocation(GetUsageAllocationRequest, GetUsageAllocationResponse),
    Activate(ActivateRequest, ActivateResponse),
    Revoke(RevokeRequest, RevokeResponse),
    Destroy(DestroyRequest, DestroyResponse),
    Archive(ArchiveRequest, ArchiveResponse),
    Recover(RecoverRequest, RecoverResponse),
    Validate(ValidateRequest, ValidateResponse),
    Encrypt(EncryptRequest, EncryptResponse),
    Decrypt(DecryptRequest, DecryptResponse),
    Sign(SignRequest, SignResponse),
    SignatureVerify(SignatureVerifyRequest, SignatureVerifyResponse),
    Mac(MacRequest, MacResponse),
    MacVerify(MacVerifyRequest, MacVerifyResponse),
    Hash(HashRequest, HashResponse),
    RngRetrieve(RngRetrieveRequest, RngRetrieveResponse),
    RngSeed(RngSeedRequest, RngSeedResponse),
    Cancel(CancelRequest, CancelResponse),
    Poll(PollRequest, PollResponse),
    Process(ProcessRequest, ProcessResponse),
    QueryAsynchronousRequests(QueryAsynchronousRequestsRequest, QueryAsynchronousRequestsResponse),
    GetConstraints(GetConstraintsRequest, GetConstraintsResponse),
    SetConstraints(SetConstraintsRequest, SetConstraintsResponse),
    SetDefaults(SetDefaultsRequest, SetDefaultsResponse),
    Login(LoginRequest, LoginResponse),
    Logout(LogoutRequest, LogoutResponse),
    DelegatedLogin(DelegatedLoginRequest, DelegatedLoginResponse),
    ReProvision(ReProvisionRequest, ReProvisionResponse),
    Log(LogRequest, LogResponse),
    Interop(InteropRequest, InteropResponse),
    Pkcs11(Pkcs11Request, Pkcs11Response),
    SetEndpointRole(SetEndpointRoleRequest, SetEndpointRoleResponse),
    Notify(NotifyRequest, NotifyResponse),
    Put(PutRequest, PutResponse),
}
