//! Set Constraints: other rules for new objects. KMIP 2.1 §6.1.52.

use super::constraints::Constraints;
use super::empty::empty;
use crate::Tag;
use crate::wire::structure;

structure! {
    /// The rules.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct SetConstraintsRequest {
        /// The constraints to apply from now on. The table requires them, the published test case takes all
        /// constraints back by leaving them out.
        optional constraints: Constraints = Tag::CONSTRAINTS,
    }
}

empty! {
    /// They are in force.
    pub struct SetConstraintsResponse;
}
