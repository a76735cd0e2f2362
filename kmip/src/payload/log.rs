//! Log: the client writes into the server's log. KMIP 2.1 §6.1.29.

use super::empty::empty;
use crate::Tag;
use crate::wire::structure;

structure! {
    /// What to write.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct LogRequest {
        /// The message, free text.
        required log_message: String = Tag::LOG_MESSAGE,
    }
}

empty! {
    /// It is written.
    pub struct LogResponse;
}
