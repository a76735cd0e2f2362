//! Interop: a test of interoperability begins or ends. KMIP 2.1 §6.1.26.

use super::empty::empty;
use crate::Tag;
use crate::registry::InteropFunction;
use crate::wire::structure;

structure! {
    /// Which test does what.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct InteropRequest {
        /// Begin, end or reset.
        required interop_function: InteropFunction = Tag::INTEROP_FUNCTION,
        /// Name of the test.
        required interop_identifier: String = Tag::INTEROP_IDENTIFIER,
    }
}

empty! {
    /// It is noted.
    pub struct InteropResponse;
}
