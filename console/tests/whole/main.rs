//! The console as a process, beside a real node on real tokens: sagas that are killed, and a browser that clicks.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod browser;
mod clicks;
mod sagas;
mod world;
