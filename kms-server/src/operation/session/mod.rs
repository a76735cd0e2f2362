//! Operations about requests themselves: those that are answered later, and who may make them.

pub(super) mod cancel;
pub(super) mod delegated_login;
mod granting;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod poll;
pub(super) mod process;
pub(super) mod query_asynchronous_requests;
