//! The running system under test: a real node in a throw-away folder, the clients that speak to it, and the OASIS cases.

pub mod aftermath;
pub mod answered;
pub mod approving;
pub mod asking;
pub mod clients;
pub mod collector;
pub mod coverage;
pub mod exported;
pub mod faults;
pub mod load;
pub mod memory;
pub mod mutation;
pub mod needles;
pub mod node;
pub mod oasis;
pub mod random;
pub mod relay;
pub mod script;
pub mod socket;
pub mod strict;
pub mod transcript;
pub mod witnesses;
