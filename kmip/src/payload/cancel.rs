//! Cancel: an asynchronous operation is no longer wanted. KMIP 1.4 §4.27.

use crate::Tag;
use crate::registry::CancellationResult;
use crate::wire::structure;

structure! {
    /// Which operation.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CancelRequest {
        /// The value that its pending answer gave.
        required asynchronous_correlation_value: Vec<u8> = Tag::ASYNCHRONOUS_CORRELATION_VALUE,
    }
}

structure! {
    /// What became of it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CancelResponse {
        /// The value of the request.
        required asynchronous_correlation_value: Vec<u8> = Tag::ASYNCHRONOUS_CORRELATION_VALUE,
        /// Cancelled, or why not.
        required cancellation_result: CancellationResult = Tag::CANCELLATION_RESULT,
    }
}
