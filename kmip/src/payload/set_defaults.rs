//! Set Defaults: other attributes for new objects where a client gives none. KMIP 2.1 §6.1.53.

use super::defaults::DefaultsInformation;
use super::empty::empty;
use crate::Tag;
use crate::wire::structure;

structure! {
    /// The defaults.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct SetDefaultsRequest {
        /// The defaults from now on; absent means none.
        optional defaults_information: DefaultsInformation = Tag::DEFAULTS_INFORMATION,
    }
}

empty! {
    /// They are in force.
    pub struct SetDefaultsResponse;
}
