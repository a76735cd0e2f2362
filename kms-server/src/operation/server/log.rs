//! Log: a client writes into the audit log of its domain. KMIP 2.1 §6.1.29.

use audit::limits::MAX_DETAIL_LEN;
use kmip::payload::{LogRequest, LogResponse};

use crate::failure::Failure;
use crate::scope::Scope;

/// Bytes of a record's detail that the server needs for itself.
const OURS: usize = 64;

pub(in crate::operation) fn run(scope: &mut Scope<'_>, request: &LogRequest) -> Result<LogResponse, Failure> {
    // What cannot be written as it is is not written: half a message says something else.
    if request.log_message.len() > MAX_DETAIL_LEN - OURS {
        return Err(Failure::OverLimit("log message is too long"));
    }
    scope.note = Some(request.log_message.clone());
    Ok(LogResponse)
}
