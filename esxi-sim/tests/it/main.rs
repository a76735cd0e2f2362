//! The simulator against a key server made for these tests, as a library and as a process.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod key_server;
mod process;
mod wire;
