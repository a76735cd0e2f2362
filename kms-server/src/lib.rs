//! A KMIP node: sockets, TLS, frames and limits around the requests it answers.
//!
//! The outer shell is `config`, `limits`, `tls`, `connection`, `peer`, `logging`, `hardening`, `init`; `service` is the
//! seam to the inner half, which decides and acts: `dispatch` works a message out against a `draft`, one file per
//! operation in `operation`, and commits it; `administration` does the same for administrators.

pub mod admin;
pub mod administration;
pub mod admission;
pub mod attributes;
pub mod auditing;
pub mod authentication;
pub mod change;
pub mod checkpoints;
pub mod clock;
pub mod config;
pub mod connection;
pub mod directory;
pub mod dispatch;
pub mod draft;
pub mod durable;
pub mod failure;
pub mod farewell;
#[cfg(feature = "fault")]
pub mod fault;
pub mod frame;
pub mod hardening;
pub mod init;
pub mod lifecycle;
pub mod limits;
pub mod listener;
pub mod logging;
pub mod node;
pub mod operation;
pub mod peer;
pub mod run;
pub mod scope;
pub mod sealing;
pub mod service;
pub mod shutdown;
pub mod strangers;
pub mod tls;
