//! Get Constraints: the rules for new objects that are in force. KMIP 2.1 §6.1.22.

use super::constraints::Constraints;
use super::empty::empty;
use crate::Tag;
use crate::wire::structure;

empty! {
    /// The question.
    pub struct GetConstraintsRequest;
}

structure! {
    /// The constraints.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct GetConstraintsResponse {
        /// The constraints in force.
        required constraints: Constraints = Tag::CONSTRAINTS,
    }
}
