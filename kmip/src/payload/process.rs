//! Process: an asynchronous operation is to be finished before its next Poll is answered. KMIP 2.1 §6.1.39.

use super::empty::empty;
use crate::Tag;
use crate::wire::structure;

structure! {
    /// Which operation.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ProcessRequest {
        /// The value that its pending answer gave.
        required asynchronous_correlation_value: Vec<u8> = Tag::ASYNCHRONOUS_CORRELATION_VALUE,
    }
}

empty! {
    /// It will be.
    pub struct ProcessResponse;
}
