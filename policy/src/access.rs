//! Who may do what, to objects of their own domain and of others.
//!
//! An object of another domain does not exist: whoever asks gets the answer for one that was never there. A client
//! acts within its one domain; an administrator acts on the domain named in the request, sees no key bytes, and makes
//! no keys.

use kmip::registry::Operation;
use thiserror::Error;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A client of a domain.
    Client,
    /// An administrator who runs domains, clients and objects from day to day.
    Operator,
    /// A security officer: as an operator, and a voice in a quorum.
    Officer,
    /// One who reads: domains, objects, the audit log.
    Auditor,
}

impl Actor {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Client, Self::Operator, Self::Officer, Self::Auditor];

    /// The name in tables, and of an administrator's role in the store and the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Operator => "operator",
            Self::Officer => "officer",
            Self::Auditor => "auditor",
        }
    }

    /// The administrator's role of this name.
    #[must_use]
    pub fn of_role(role: &str) -> Option<Self> {
        [Self::Operator, Self::Officer, Self::Auditor].into_iter().find(|actor| actor.name() == role)
    }
}

/// Whose the object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// It is in the domain that the actor acts in.
    Own,
    /// It is in another domain.
    Foreign,
    /// There is no such object.
    Absent,
}

impl Ownership {
    /// Every case.
    pub const ALL: [Self; 3] = [Self::Own, Self::Foreign, Self::Absent];

    /// The name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Foreign => "foreign",
            Self::Absent => "absent",
        }
    }
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Denied {
    /// Such an actor never does this.
    #[error("not an operation for this role")]
    NotPermitted,
    /// There is no such object, as far as the actor can know.
    #[error("no such object")]
    NotFound,
}

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Reads what is known about one object, and no key bytes.
    ReadsObject,
    /// Ends or restricts the life of one object.
    RestrictsObject,
    /// Uses or changes one object, or hands it out.
    UsesObject,
    /// Finds objects of the domain.
    Searches,
    /// Makes an object; where that needs another object, the need is decided for that object by its own row.
    Makes,
    /// Says what the server is and can.
    Describes,
    /// Uses the domain but no object.
    UsesDomain,
}

/// One row per operation. There is no catch-all: an operation that is new to the protocol does not compile until
/// somebody has decided what it is.
const fn kind(operation: Operation) -> Kind {
    use Operation as O;
    match operation {
        O::Create | O::CreateKeyPair | O::Register | O::Certify | O::Import | O::JoinSplitKey => Kind::Makes,
        O::ReKey
        | O::ReKeyKeyPair
        | O::DeriveKey
        | O::ReCertify
        | O::CreateSplitKey
        | O::Get
        | O::Export
        | O::AddAttribute
        | O::ModifyAttribute
        | O::DeleteAttribute
        | O::AdjustAttribute
        | O::SetAttribute
        | O::ObtainLease
        | O::GetUsageAllocation
        | O::Activate
        | O::Archive
        | O::Recover
        | O::Validate
        | O::Encrypt
        | O::Decrypt
        | O::Sign
        | O::SignatureVerify
        | O::Mac
        | O::MacVerify
        // What a peer tells of one object.
        | O::Notify
        | O::Put => Kind::UsesObject,
        O::Check | O::GetAttributes | O::GetAttributeList => Kind::ReadsObject,
        O::Revoke | O::Destroy => Kind::RestrictsObject,
        O::Locate => Kind::Searches,
        O::Query | O::DiscoverVersions | O::Ping => Kind::Describes,
        // Correlation values are bound to the domain and looked up there.
        O::Poll
        | O::Cancel
        | O::Process
        | O::ReProvision
        | O::GetConstraints
        | O::SetConstraints
        | O::QueryAsynchronousRequests
        | O::Hash
        | O::RngRetrieve
        | O::RngSeed
        | O::Log
        | O::Login
        | O::Logout
        | O::DelegatedLogin
        | O::SetDefaults
        | O::SetEndpointRole
        | O::Interop
        | O::Pkcs11 => Kind::UsesDomain,
    }
}

/// Whether the operation is about one object that its request names.
#[must_use]
pub const fn is_about_an_object(operation: Operation) -> bool {
    matches!(kind(operation), Kind::ReadsObject | Kind::RestrictsObject | Kind::UsesObject)
}

/// May `actor` do `operation` to an object that is `ownership` to him? For operations without an object the last
/// argument changes nothing.
///
/// # Errors
/// [`Denied`]. What an actor may never do is denied before anything is said about the object, so that the answer
/// tells nothing about it; foreign and absent objects are denied alike.
pub const fn decide(actor: Actor, operation: Operation, ownership: Ownership) -> Result<(), Denied> {
    let kind = kind(operation);
    let permitted = match (kind, actor) {
        (_, Actor::Client) => true,
        (Kind::Describes | Kind::Searches | Kind::ReadsObject, Actor::Operator | Actor::Officer | Actor::Auditor)
        | (Kind::RestrictsObject, Actor::Operator | Actor::Officer) => true,
        (Kind::RestrictsObject, Actor::Auditor)
        | (Kind::UsesObject | Kind::Makes | Kind::UsesDomain, Actor::Operator | Actor::Officer | Actor::Auditor) => {
            false
        }
    };
    if !permitted {
        return Err(Denied::NotPermitted);
    }
    match (kind, ownership) {
        (Kind::ReadsObject | Kind::RestrictsObject | Kind::UsesObject, Ownership::Foreign | Ownership::Absent) => {
            Err(Denied::NotFound)
        }
        (Kind::ReadsObject | Kind::RestrictsObject | Kind::UsesObject, Ownership::Own)
        | (Kind::Searches | Kind::Makes | Kind::Describes | Kind::UsesDomain, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_and_absent_are_the_same_for_everybody_and_everything() {
        for operation in Operation::ALL {
            for actor in Actor::ALL {
                let [foreign, absent] =
                    [Ownership::Foreign, Ownership::Absent].map(|ownership| decide(actor, *operation, ownership));
                assert_eq!(foreign, absent, "{actor:?} {operation:?}");
            }
        }
    }

    #[test]
    fn no_administrator_gets_key_bytes_or_makes_keys() {
        for operation in [Operation::Get, Operation::Export, Operation::Create, Operation::Register, Operation::Decrypt]
        {
            for actor in [Actor::Operator, Actor::Officer, Actor::Auditor] {
                assert_eq!(decide(actor, operation, Ownership::Own), Err(Denied::NotPermitted));
            }
        }
    }

    #[test]
    fn roles_have_names_and_client_is_none_of_them() {
        assert_eq!(Actor::of_role("officer"), Some(Actor::Officer));
        assert_eq!(Actor::of_role("client"), None);
        assert_eq!(Actor::of_role("root"), None);
    }
}
