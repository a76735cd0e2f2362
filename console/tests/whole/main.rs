//! The console as a process, beside a real node on real tokens: sagas that are killed, queues, and a browser that clicks.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod accessible;
mod browser;
mod clicks;
mod operator;
mod queue;
mod sagas;
mod world;
