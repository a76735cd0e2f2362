//! The strictest client that we can think of: it takes one read of its socket for a whole answer, knows the fields of
//! its version and no other, wants them in the specification's order, and wants everything repeated that it sent.
//!
//! Clients in C, Rust, Go and JavaScript each have some of these habits; what a server may not do is their sum.

mod answer;
mod conversation;
mod request;
mod tree;
mod version;

pub use answer::{Answer, faults};
pub use conversation::{RECORD, Strict};
pub use request::{Attribute, Request, Value, attributes};
pub use tree::{Kind, Tree};
pub use version::strangers;
