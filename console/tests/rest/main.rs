//! The console as its clients see it: over TLS, with a real store, on the example inventory.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod api;
mod described;
mod document;
mod pages;
mod store;
mod support;
mod tenancy;
mod tokens;
