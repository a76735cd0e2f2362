//! The running system under test: a real node in a throw-away folder, the clients that speak to it, and the OASIS cases.

pub mod node;
pub mod oasis;
