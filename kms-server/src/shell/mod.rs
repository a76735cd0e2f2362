//! The shell around the node: sockets, TLS, frames, budgets and deadlines. What it lets through is whole and has a name.
//!
//! `listener` accepts and shakes hands within the budgets of `admission`; `tls` says who may; `connection` reads a
//! `frame`, has it answered through `service`, and parts by `farewell`. Who speaks HTTP instead is handed to `https`:
//! the same messages in bodies, as TTLV, XML or JSON.

pub mod admission;
pub mod connection;
pub mod farewell;
pub mod frame;
pub mod hardening;
pub mod http;
pub mod https;
pub mod listener;
pub mod logging;
pub mod peer;
pub mod service;
pub mod shutdown;
pub mod tls;
pub mod watched;
