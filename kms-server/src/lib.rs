//! A KMIP node: sockets, TLS, frames and limits around the requests it answers.
//!
//! The outer shell is `config`, `limits`, `tls`, `connection`, `peer`, `logging`, `hardening`, `init`; `service` is the
//! seam to the inner half, which decides and acts.

pub mod config;
pub mod limits;
pub mod peer;
pub mod service;
pub mod admission;
pub mod connection;
pub mod frame;
pub mod listener;
pub mod shutdown;
pub mod tls;
pub mod hardening;
pub mod logging;
pub mod durable;
pub mod init;
