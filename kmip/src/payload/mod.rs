//! What an operation asks and answers: one file per verb. KMIP 1.4 §4.
//!
//! A payload says only which fields it has; how attributes, names and objects look in a version is decided by the
//! [parts](crate::wire::Part).

mod activate;
mod add_attribute;
mod check;
mod create;
mod delete_attribute;
mod destroy;
mod discover_versions;
mod get;
mod get_attribute_list;
mod get_attributes;
mod locate;
mod modify_attribute;
mod query;
mod register;
mod revoke;

pub use activate::{ActivateRequest, ActivateResponse};
pub use add_attribute::{AddAttributeRequest, AddAttributeResponse};
pub use check::{CheckRequest, CheckResponse};
pub use create::{CreateRequest, CreateResponse};
pub use delete_attribute::{DeleteAttributeRequest, DeleteAttributeResponse};
pub use destroy::{DestroyRequest, DestroyResponse};
pub use discover_versions::{DiscoverVersionsRequest, DiscoverVersionsResponse};
pub use get::{GetRequest, GetResponse};
pub use get_attribute_list::{GetAttributeListRequest, GetAttributeListResponse};
pub use get_attributes::{GetAttributesRequest, GetAttributesResponse};
pub use locate::{LocateRequest, LocateResponse};
pub use modify_attribute::{ModifyAttributeRequest, ModifyAttributeResponse};
pub use query::{
    CapabilityInformation, ExtensionInformation, ProfileInformation, QueryRequest, QueryResponse, ValidationInformation,
};
pub use register::{RegisterRequest, RegisterResponse};
pub use revoke::{RevokeRequest, RevokeResponse};

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

            /// `None` for an operation without typed payload.
            pub(crate) fn decode(operation: Operation, item: &Item<'_>) -> Result<Option<Self>, DecodeError> {
                match operation {
                    $( Operation::$verb => $request::decode(item).map(|payload| Some(Self::$verb(payload))), )*
                    _ => Ok(None),
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

            /// `None` for an operation without typed payload.
            pub(crate) fn decode(operation: Operation, item: &Item<'_>) -> Result<Option<Self>, DecodeError> {
                match operation {
                    $( Operation::$verb => $response::decode(item).map(|payload| Some(Self::$verb(payload))), )*
                    _ => Ok(None),
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
    Create(CreateRequest, CreateResponse),
    Register(RegisterRequest, RegisterResponse),
    Get(GetRequest, GetResponse),
    GetAttributes(GetAttributesRequest, GetAttributesResponse),
    GetAttributeList(GetAttributeListRequest, GetAttributeListResponse),
    AddAttribute(AddAttributeRequest, AddAttributeResponse),
    ModifyAttribute(ModifyAttributeRequest, ModifyAttributeResponse),
    DeleteAttribute(DeleteAttributeRequest, DeleteAttributeResponse),
    Locate(LocateRequest, LocateResponse),
    Check(CheckRequest, CheckResponse),
    Activate(ActivateRequest, ActivateResponse),
    Revoke(RevokeRequest, RevokeResponse),
    Destroy(DestroyRequest, DestroyResponse),
}
