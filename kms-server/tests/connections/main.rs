//! The shell with real sockets and real TLS: who gets in, who is thrown out, who is served meanwhile.
//!
//! Deadlines are set short and waited for as events; how long anything took is never looked at.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod bench;
mod budgets;
mod order;
mod patience;
mod stopping;
mod strangers;
