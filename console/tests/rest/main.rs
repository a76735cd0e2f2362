//! The console as its clients see it: over TLS, with a real store, on the example inventory.

mod api;
mod document;
mod pages;
mod store;
mod support;
mod tenancy;
mod tokens;
