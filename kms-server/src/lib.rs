//! A KMIP node: sockets, TLS, frames and limits around the requests it answers.
//!
//! `shell` reads and writes; `node` is what answers: `dispatch` works a message out against a `draft`, one file per
//! operation in `operation`, and commits it; `administration` does the same for administrators, behind the HTTP of
//! `admin`. `config`, `init`, `ceremony` and `run` bring a node up.

mod about;
pub mod admin;
pub mod administration;
pub mod attributes;
pub mod authentication;
pub mod backup;
pub mod ceremony;
pub mod change;
pub mod config;
pub mod dispatch;
pub mod draft;
pub mod durable;
pub mod effect;
pub mod failure;
pub mod init;
mod items;
pub mod later;
pub mod lifecycle;
pub mod limits;
pub mod login;
pub mod node;
pub mod offer;
pub mod operation;
pub mod quorums;
pub mod results;
mod room;
pub mod run;
pub mod scope;
pub mod shell;
