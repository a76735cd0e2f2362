//! Query Asynchronous Requests: which operations are still without their answer? KMIP 2.1 §6.1.41.

use super::lists::Operations;
use crate::Tag;
use crate::registry::{Operation, ProcessingStage};
use crate::ttlv::DateTimeExtended;
use crate::wire::structure;

structure! {
    /// Which requests; without restriction all of them.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct QueryAsynchronousRequestsRequest {
        /// Those with these values.
        optional asynchronous_correlation_values: AsynchronousCorrelationValues =
            Tag::ASYNCHRONOUS_CORRELATION_VALUES,
        /// Those that asked for these operations.
        optional operations: Operations = Tag::OPERATIONS,
    }
}

structure! {
    /// Asynchronous Correlation Values. KMIP 2.1 §7.1.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct AsynchronousCorrelationValues {
        /// The values that pending answers gave.
        repeated values: Vec<u8> = Tag::ASYNCHRONOUS_CORRELATION_VALUE,
    }
}

structure! {
    /// What is outstanding.
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct QueryAsynchronousRequestsResponse {
        /// The requests.
        repeated asynchronous_requests: AsynchronousRequest = Tag::ASYNCHRONOUS_REQUEST,
    }
}

structure! {
    /// A request whose answer was not fetched yet. KMIP 2.1 §7.2.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AsynchronousRequest {
        /// The value that its pending answer gave.
        required asynchronous_correlation_value: Vec<u8> = Tag::ASYNCHRONOUS_CORRELATION_VALUE,
        /// What it asks for.
        required operation: Operation = Tag::OPERATION,
        /// When it came.
        required submission_date: DateTimeExtended = Tag::SUBMISSION_DATE,
        /// How far it is.
        required processing_stage: ProcessingStage = Tag::PROCESSING_STAGE,
    }
}
