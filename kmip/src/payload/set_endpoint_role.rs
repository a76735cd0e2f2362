//! Set Endpoint Role: client and server change places on their connection. KMIP 2.1 §6.1.54.

use crate::Tag;
use crate::registry::EndpointRole;
use crate::wire::structure;

structure! {
    /// The role that the receiver shall take.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SetEndpointRoleRequest {
        /// The role.
        required endpoint_role: EndpointRole = Tag::ENDPOINT_ROLE,
    }
}

structure! {
    /// The role that the receiver took.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SetEndpointRoleResponse {
        /// The role.
        required endpoint_role: EndpointRole = Tag::ENDPOINT_ROLE,
    }
}
