//! What a row of [`ATTRIBUTE_RULES`](super::ATTRIBUTE_RULES) says.

use crate::registry::{ObjectType, Operation};
use crate::version::ProtocolVersion;

/// What the specification lets server and client do with one attribute: the small table that follows each attribute's
/// description. KMIP 1.4 §3, 2.1 §4.
///
/// A `…_if` text is the condition of a conditional yes, in the standard's words; `None` means no condition. An
/// attribute that 1.x has is described as 1.x has it.
#[derive(Clone, Copy, Debug)]
pub struct AttributeRules {
    /// The attribute's name, such as "Cryptographic Usage Mask".
    pub name: &'static str,
    /// The first version that has the attribute.
    pub since: ProtocolVersion,
    /// The last version that has it; `None` if 2.1 still does.
    pub until: Option<ProtocolVersion>,
    /// The server may give the first value.
    pub set_by_server: bool,
    /// A client may give the first value.
    pub set_by_client: bool,
    /// Objects to which it applies always have it.
    pub always_has_value: bool,
    /// Condition of `always_has_value`.
    pub always_has_value_if: Option<&'static str>,
    /// The server may change it without being asked.
    pub modifiable_by_server: bool,
    /// Condition of `modifiable_by_server`.
    pub modifiable_by_server_if: Option<&'static str>,
    /// A client may change it.
    pub modifiable_by_client: bool,
    /// Condition of `modifiable_by_client`.
    pub modifiable_by_client_if: Option<&'static str>,
    /// A client may delete it.
    pub deletable_by_client: bool,
    /// Condition of `deletable_by_client`.
    pub deletable_by_client_if: Option<&'static str>,
    /// An object may have several.
    pub multiple_instances: bool,
    /// Condition of `multiple_instances`.
    pub multiple_instances_if: Option<&'static str>,
    /// Operations that may set it without being told a value, in any version: an object is one object for the clients
    /// of all versions, and what one version lets its operation set is there for the others.
    pub implicitly_set_by: &'static [Operation],
    /// Objects that may have it, by version; versions without an entry have no table of it.
    pub applies_to: &'static [AppliesTo],
}

/// Objects that may have an attribute, in the versions that say the same.
#[derive(Clone, Copy, Debug)]
pub struct AppliesTo {
    /// The first of these versions.
    pub since: ProtocolVersion,
    /// The last; `None` if 2.1 still says so.
    pub until: Option<ProtocolVersion>,
    /// The types.
    pub types: &'static [ObjectType],
}

impl AttributeRules {
    /// The types of objects that may have the attribute by the table of `version`; none where it has no table.
    #[must_use]
    pub fn types_in(&self, version: ProtocolVersion) -> &'static [ObjectType] {
        self.applies_to.iter().find(|span| version.is_within(span.since, span.until)).map_or(&[], |span| span.types)
    }
}
